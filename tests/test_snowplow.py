"""Snowplow's trackers at the public door: payloads, self-describing events, contexts, anonymous visitors."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
import pytest

from collector.overload import Overload, Stage
from collector.protocols import snowplow
from tests.conftest import run_collector
from tests.test_dialects import PAGE, emitted, messages

if TYPE_CHECKING:
    from collector.settings import Settings
    from tests.conftest import Running

TP2 = "/com.snowplowanalytics.snowplow/tp2"
EID = "0190a3f0-0000-4000-8000-000000000000"
PAYLOAD = {
    "e": "pv",
    "eid": EID,
    "aid": "shop-app",
    "tna": "sp",
    "tv": "js-4.10.1",
    "p": "web",
    "dtm": "1767323040000",
    "stm": "1767323041000",
    "duid": "d1",
    "sid": "s1",
    "vid": "2",
    "tnuid": "n1",
    "url": "https://shop.example/a?utm_source=news",
    "page": "A",
    "refr": "https://x.example/",
    "lang": "de",
    "tz": "Europe/Zurich",
    "res": "1920x1080",
}
CALL = {
    "schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
    "data": {"schema": "iglu:com.acme/call_ended/jsonschema/1-0-0", "data": {"seconds": 312, "text": "ü?>"}},
}
PAGE_CONTEXT = {
    "schema": "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0",
    "data": {"id": "w"},
}
SESSION = {
    "schema": "iglu:com.snowplowanalytics.snowplow/client_session/jsonschema/1-0-2",
    "data": {"userId": "phone1", "sessionId": "s9"},
}
CONTEXTS = {
    "schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0",
    "data": [PAGE_CONTEXT, SESSION],
}


def text(value: Any) -> str:
    return orjson.dumps(value).decode()


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


EVENTS: list[tuple[str, dict[str, str]]] = [
    ("page", {}),
    ("page_ping", {"e": "pp", "pp_mix": "0", "pp_max": "7", "pp_miy": "0", "pp_may": "1200"}),
    ("Play", {"e": "se", "se_ca": "Video", "se_ac": "Play", "se_la": "Intro", "se_pr": "x", "se_va": "1.50"}),
    ("transaction", {"e": "tr", "tr_id": "o1", "tr_tt": "20", "tr_cu": "EUR"}),
    ("transaction_item", {"e": "ti", "ti_id": "o1", "ti_sk": "sku", "ti_pr": "9.5", "ti_qu": "2"}),
]


@pytest.mark.parametrize(("name", "fields"), EVENTS, ids=[row[0] for row in EVENTS])
def test_each_type_has_its_name_and_loses_nothing(name: str, fields: dict[str, str]) -> None:
    item = {**PAYLOAD, **fields}

    (message,) = messages("snowplow", {"data": [item]})

    assert message.get("event", "page") == name
    again = emitted(message, "snowplow", item, snowplow.PLACES)
    assert {key: str(value) for key, value in again.items()} == item
    assert (message["originalTimestamp"], message["sentAt"]) == (
        "2026-01-02T03:04:00.000Z",
        "2026-01-02T03:04:01.000Z",
    )
    assert message["timestamp"] == "2026-01-02T03:04:04.000Z"


@pytest.mark.parametrize(
    "fields",
    [
        {"ue_pr": text(CALL), "co": text(CONTEXTS)},
        {"ue_px": packed(CALL), "cx": packed(CONTEXTS)},
        {"ue_px": packed(CALL) + "=", "cx": packed(CONTEXTS) + "=="},
    ],
    ids=["plain", "base64", "padded"],
)
def test_schemas_and_data_can_be_written_again(fields: dict[str, str]) -> None:
    (message,) = messages("snowplow", {"data": [{"e": "ue", "aid": "a", "eid": EID, **fields}]})

    own = message["context"]["snowplow"]
    assert (message["event"], message["anonymousId"], message["sessionId"]) == ("call_ended", "phone1", "s9")
    event = {"schema": own["schema"], "data": message["properties"]}
    assert {"schema": own["schemaOfEvent"], "data": event} == CALL
    contexts = [*own["contexts"], *own["ids"]["contexts"]]
    assert {"schema": own["schemaOfContexts"], "data": contexts} == CONTEXTS


@pytest.mark.parametrize("path", [TP2, "/com.acme/track"])
async def test_a_payload_sent_again_is_there_once(running: Running, path: str) -> None:
    await running.add(settings={"sites": ["snowplow:shop-app"]}, privacy={"visitors": "cookie"})
    schema = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"

    for _ in range(2):
        answer = await running.public.post(path, json={"schema": schema, "data": [PAYLOAD]}, headers=PAGE)
        assert (answer.status, await answer.text()) == (200, "ok")
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"

    (event,) = await running.events()
    assert (event["messageId"], event["anonymousId"], event["sessionId"]) == (EID, "d1", "s1")
    assert event["context"]["campaign"]["source"] == "news"
    assert event["context"]["snowplow"]["ids"] == {"tnuid": "n1"}


async def test_a_get_is_answered_a_picture(running: Running) -> None:
    await running.add(settings={"sites": ["snowplow:shop-app"]})

    answers = [
        await running.public.get(f"/i?{urlencode({**PAYLOAD, **fields})}")
        for fields in ({"cx": packed(CONTEXTS)}, {"aid": "other", "tna": "other"}, {"e": "no"})
    ]

    assert [(answer.status, answer.content_type) for answer in answers] == [
        (status, "image/gif") for status in (200, 401, 400)
    ]
    (event,) = await running.events()
    assert event["anonymousId"] != "d1"  # the source makes it
    assert "ids" not in event["context"]["snowplow"]


async def test_who_asks_to_be_nobody_is_held_to_the_rate_of_the_address(settings: Settings) -> None:
    narrow = settings.model_copy(update={"address_rate": 0.1, "trusted_proxies": ("127.0.0.0/8",)})
    headers = {**PAGE, "SP-Anonymous": "*", "X-Forwarded-For": "203.0.113.7"}
    async with run_collector(narrow) as running:
        await running.add(settings={"sites": ["snowplow:shop-app"]})

        answers = [
            await running.public.post(TP2, json={"data": [PAYLOAD]}, headers=headers) for _ in range(3)
        ]

    assert [answer.status for answer in answers] == [200, 429, 429]


async def test_who_asks_to_be_nobody_is_no_repeat_visitor_for_what_somebody_else_has_sent(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Overload, "look", lambda *_: None)  # the stage stays what it is set to
    behind = settings.model_copy(update={"trusted_proxies": ("127.0.0.0/8",)})
    async with run_collector(behind) as running:
        await running.add(settings={"sites": ["snowplow:shop-app"]})
        running.parts.pipeline.overload.stage = Stage.REPEATS
        answers = [
            await running.public.post(
                TP2,
                json={"data": [{**PAYLOAD, "eid": f"e{number}"}]},
                headers={**PAGE, "SP-Anonymous": "*", "X-Forwarded-For": address},
            )
            for number, address in enumerate(["203.0.113.7", "203.0.113.8", "203.0.113.7"])
        ]

    assert [answer.status for answer in answers] == [200, 200, 503]


async def test_who_asks_to_be_nobody_gets_no_cookie_and_leaves_no_id(running: Running) -> None:
    privacy = {"visitors": "cookie", "cookie": "server", "address": "network"}
    await running.add(settings={"sites": ["snowplow:shop-app"]}, privacy=privacy)
    page = {**PAGE, "Origin": f"https://127.0.0.1:{running.parts.ports.public}"}

    known = await running.public.post(TP2, json={"data": [PAYLOAD]}, headers=page)
    nobody = await running.public.post(
        TP2, json={"data": [{**PAYLOAD, "eid": "e2"}]}, headers={**page, "SP-Anonymous": "*"}
    )

    assert "__Host-hw=" in known.headers["Set-Cookie"]
    assert "Set-Cookie" not in nobody.headers
    first, second = await running.events()
    assert f"__Host-hw={first['anonymousId']};" in known.headers["Set-Cookie"]
    assert {"anonymousId", "sessionId"}.isdisjoint(second)
    assert {"ip", "snowplow"}.isdisjoint(second["context"])


BAD = [
    {"ue_px": "%%%"},
    {"ue_pr": "{"},
    {"ue_pr": "[]"},
    {"ue_pr": "{}"},
    {"ue_pr": text({"data": {"schema": 7}})},
    {"ue_pr": "[" * 99},
    {"ue_pr": '{"a":' * 99 + "1" + "}" * 99},
    {"ue_pr": text(CALL), "co": '{"data":' + "[" * 99 + "]" * 99 + "}"},
    {"ue_pr": 7},
]


@pytest.mark.parametrize("fields", BAD, ids=[str(row)[:30] for row in BAD])
async def test_a_broken_self_describing_event_is_refused_and_the_good_one_kept(
    running: Running, fields: dict[str, Any]
) -> None:
    await running.add(settings={"sites": ["snowplow:shop-app"]})
    bad = {**PAYLOAD, "e": "ue", "eid": "e2", **fields}

    answer = await running.public.post(TP2, json={"data": [PAYLOAD, bad]})

    assert (answer.status, len(await running.events())) == (200, 1)
    assert answer.headers["X-Headwater-Reason"]
