"""Mixpanel's ingestion at the public door: nothing lost, the answers that its libraries read, its limits."""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
import pytest

from collector.protocols import mixpanel
from collector.protocols.clock import to_ms
from collector.protocols.dialect import Call
from collector.protocols.packed import unpacked
from collector.sources.keys import add_key
from collector.store.deliveries import unpack
from tests.test_dialects import PAGE, SITES, emitted, messages
from tests.test_kept import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Running

TOKEN, OTHER = SITES["mixpanel"], "of-another-project"
PROPERTIES: dict[str, Any] = {
    "token": TOKEN,
    "distinct_id": "u1",
    "$device_id": "d1",
    "$user_id": "u1",
    "$insert_id": "insert1",
    "time": 1767323000.123,
    "$current_url": "https://shop.example/a?utm_source=news",
    "$referrer": "$direct",
    "$browser": "Chrome",
    "mp_lib": "web",
    "$lib_version": "2.83.0",
    "mp_sent_by_lib_version": "2.83.0",
    "plan": "pro",
}


def tracked(event: str, **properties: Any) -> dict[str, Any]:
    return {"event": event, "properties": {**PROPERTIES, **properties}}


def again(message: Mapping[str, Any], item: Mapping[str, Any]) -> Any:
    """Return an item of Mixpanel's as it can be made again from what is stored."""
    own = message["context"].get("mixpanel", {})
    said = {"token": item["properties"]["token"]}
    if "time" in item["properties"]:
        at = to_ms(message["originalTimestamp"]) or 0
        given = item["properties"]["time"]
        said["time"] = own.get("properties", {}).get("time", at if given == at else at / 1000)
    held = {**message.get("properties", {}), **own.get("ids", {}), **own.get("properties", {})}
    inside = {**message, "context": {**message["context"], "mixpanel": held}}
    named = {k: v for k, v in item["properties"].items() if k not in {*said, "$insert_id"}}
    properties = emitted(inside, "mixpanel", named, mixpanel.PLACES)
    kinds = {kind: name for name, kind in mixpanel.KINDS.items()}
    beside = {key: own[key] for key in item if key not in {"event", "properties"}}
    ids = {"$insert_id": message["messageId"]} if "$insert_id" in item["properties"] else {}
    made = {**properties, **said, **ids}
    return {"event": message.get("event") or kinds[message["type"]], "properties": made, **beside}


EVENTS = [
    tracked("Order Completed"),
    tracked("$mp_web_page_view", current_page_title="A", **{"$referrer": "https://x.example/"}),
    tracked("$identify", **{"$anon_distinct_id": "$device:d1"}),
    tracked("$create_alias", alias="u9"),
    tracked(
        "x", **{"$current_url": 7, "time": "2026-01-02T03:03:20", "distinct_id": 17, "ip": "203.0.113.9"}
    ),
    {**tracked("x"), "meta": {"a": 1}},
]


@pytest.mark.parametrize("item", EVENTS, ids=lambda item: item["event"])
def test_nothing_of_mixpanels_is_lost(item: dict[str, Any]) -> None:
    (message,) = messages("mixpanel", [item], "/track")

    assert again(message, item) == item
    assert TOKEN not in str(message)


PROFILES = [
    {"$token": TOKEN, "$distinct_id": "u1", "$set": {"plan": "pro"}, "$add": {"visits": 1}, "$ip": "::1"},
    {"$token": TOKEN, "$group_key": "company", "$group_id": "ACME", "$set": {"seats": 7}, "$unset": ["old"]},
]


@pytest.mark.parametrize("item", PROFILES)
def test_nothing_of_a_profile_is_lost(item: dict[str, Any]) -> None:
    (message,) = messages("mixpanel", item, "/engage")

    own = message["context"]["mixpanel"]
    kept = {**message, "context": {**message["context"], "mixpanel": {**own, **own.get("ids", {})}}}
    places = {**mixpanel.PROFILE_PLACES, "$group_id": "groupId"}
    said = {key: value for key, value in item.items() if key != "$token"}
    assert emitted(kept, "mixpanel", said, places) == said
    assert message["type"] == ("group" if "$group_id" in item else "identify")
    assert TOKEN not in str(message)


PEOPLE = [
    ({"$user_id": None}, {"userId": "u1", "anonymousId": "d1"}),
    ({"distinct_id": "$device:d1", "$user_id": None}, {"anonymousId": "d1"}),
    ({"distinct_id": "d1", "$user_id": None}, {"anonymousId": "d1"}),
    ({"distinct_id": "$device:d7", "$device_id": None, "$user_id": None}, {"anonymousId": "d7"}),
    ({"$device_id": None, "$user_id": None}, {"userId": "u1"}),
    ({"distinct_id": None, "$device_id": None, "$user_id": None}, {}),
]


@pytest.mark.parametrize(("fields", "expected"), PEOPLE)
def test_who_mixpanels_events_are_about(fields: dict[str, Any], expected: dict[str, str]) -> None:
    (message,) = messages("mixpanel", tracked("x", **fields), "/track")

    assert {key: message[key] for key in ("userId", "anonymousId") if key in message} == expected


def test_two_ids_are_merged() -> None:
    (message,) = messages(
        "mixpanel", {"event": "$merge", "properties": {"$distinct_ids": ["a", "b"]}}, "/import"
    )

    assert (message["type"], message["previousId"], message["userId"]) == ("alias", "a", "b")


@pytest.mark.parametrize(
    "time", [1767323000, 1767323000123, 1767323000.123, "1767323000", "2026-01-02T03:03:20Z"]
)
def test_times_are_in_seconds_milliseconds_or_words(time: Any) -> None:
    (message,) = messages("mixpanel", tracked("x", time=time), "/track", "_=1767323040000")

    assert message["originalTimestamp"].startswith("2026-01-02T03:03:20")
    assert message["timestamp"].startswith("2026-01-02T03:03:25")  # sent by a clock that is 5 s slow


PACKED = base64.b64encode(orjson.dumps([tracked("bought")]))
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
WAYS = [
    ("/track/?verbose=1&ip=1&_=1767323001000", b"data=" + PACKED, FORM, {"status": 1, "error": None}),
    (
        "/track",
        urlencode({"data": PACKED, "verbose": 1, "ip": 0}).encode(),
        FORM,
        {"status": 1, "error": None},
    ),
    ("/track", urlencode({"data": orjson.dumps(tracked("bought"))}).encode(), FORM, 1),
    ("/track", orjson.dumps([tracked("bought")]), JSON, 1),
    ("/track", orjson.dumps(tracked("bought")), "text/plain", 1),
    ("/track", orjson.dumps({**tracked("bought"), "events": 1}), "application/json", 1),
    ("/track", gzip.compress(orjson.dumps([tracked("bought")])), JSON, 1),
    ("/import?strict=1", orjson.dumps([tracked("bought")]), JSON, None),
    ("/import", orjson.dumps(tracked("bought")) + b"\n" + orjson.dumps(tracked("bought")) + b"\n", "", None),
    ("/import", b"data=" + PACKED, FORM, 1),
]


@pytest.mark.parametrize(("path", "body", "label", "told"), WAYS)
async def test_mixpanels_bodies_and_answers(
    running: Running, path: str, body: bytes, label: str, told: Any
) -> None:
    await running.add(settings={"sites": [f"mixpanel:{TOKEN}"]}, privacy={"visitors": "cookie"})

    for _ in range(2):  # sent again: one id, one event
        answer = await running.public.post(path, data=body, headers={**PAGE, "Content-Type": label})
        found = orjson.loads(await answer.read())
        assert answer.status == 200
        assert found == (
            told or {"code": 200, "status": "OK", "num_records_imported": 1 + body.count(b"\n") // 2}
        )

    (event,) = await running.events()
    assert (event["event"], event["messageId"]) == ("bought", "insert1")
    assert (event["userId"], event["anonymousId"]) == ("u1", "d1")
    assert (event["properties"], event["context"]["campaign"]["source"]) == ({"plan": "pro"}, "news")


async def test_a_query_alone_is_taken_and_may_ask_for_a_picture(running: Running) -> None:
    await running.add(settings={"sites": [f"mixpanel:{TOKEN}"]})

    plain = await running.public.get("/track", params={"data": PACKED.decode()})
    picture = await running.public.get("/track/", params={"data": PACKED.decode(), "img": "1"})

    assert (plain.status, await plain.text()) == (200, "1")
    assert (await picture.read()).startswith(b"GIF89a")


async def test_tracardis_visits_are_still_tracardis(running: Running) -> None:
    source = await running.add(bridge="rest")
    key = await add_key(running.parts.catalogue, source.id)
    visit = {
        "source": {"id": key},
        "session": {"id": "s"},
        "profile": None,
        "events": [{"type": "data=event"}],
    }

    answer = await running.public.post("/track", json=visit)

    assert (answer.status, (await answer.json())["session"]) == (200, {"id": "s"})
    assert (await running.events())[0]["collector"]["protocol"] == "tracardi"


async def test_an_import_is_told_what_became_of_each(running: Running) -> None:
    source = await running.add(bridge="rest", settings={"keep": "all"})
    await add_key(running.parts.catalogue, source.id, key=TOKEN)
    headers = {"Authorization": "Basic " + base64.b64encode(f"{TOKEN}:s3cr3t".encode()).decode()}
    items = [tracked("a"), {"event": "", "properties": {"$insert_id": "bad1"}}]

    strict = await running.public.post("/import?strict=1", json=items, headers=headers)
    lenient = await running.public.post("/import?strict=0", json=items, headers=headers)

    told = await strict.json()
    assert (strict.status, told["code"], told["num_records_imported"]) == (400, 400, 1)
    assert [(row["index"], row["insert_id"]) for row in told["failed_records"]] == [(1, "bad1")]
    assert (lenient.status, (await lenient.json())["num_records_imported"]) == (200, 1)
    await running.parts.deliveries.flush()
    kept = unpack((await running.parts.deliveries.last(source.id))[0]["raw"], source)
    assert "s3cr3t" not in repr(kept)
    assert TOKEN not in repr(kept.body)


async def test_what_is_refused_says_so_as_its_libraries_read_it(running: Running) -> None:
    await running.add(bridge="rest", settings={"sites": [f"mixpanel:{TOKEN}"]})
    unknown = await running.public.post(
        "/track", data={"data": orjson.dumps(tracked("x", token=OTHER)).decode()}
    )
    bad = await running.public.post("/track/?verbose=1", json=[{**tracked(""), "event": ""}])
    foreign = await running.public.post("/engage", json=[PROFILES[0], {**PROFILES[0], "$token": "other"}])

    assert (unknown.status, (await unknown.json())["status"]) == (401, 0)
    assert (bad.status, (await bad.json())["status"]) == (400, 0)
    assert (foreign.status, await foreign.text()) == (200, "1")
    assert foreign.headers["X-Headwater-Reason"] == "unknown_source"


async def test_mixpanels_limits_are_held_to(running: Running) -> None:
    await running.add(bridge="rest", settings={"sites": [f"mixpanel:{TOKEN}"]})
    many = {f"p{n}": n for n in range(300)}

    await running.public.post(
        "/import", json=[tracked("x", long="y" * 300), tracked("y", **many, **{"$insert_id": "2"})]
    )
    refused = await running.public.post("/import", json=[tracked("z")] * 2001)
    named = await running.public.post("/import", json=[tracked("z" * 256)])

    first, second = await running.events()
    assert len(first["properties"]["long"]) == 255
    assert len(second["properties"]) == 255
    assert [event["collector"]["flags"] for event in (first, second)] == [["value_cut"], ["property_dropped"]]
    assert (refused.status, (await refused.json())["code"]) == (413, 413)
    assert (await named.json())["failed_records"][0]["field"] == "field_too_long"


@pytest.mark.parametrize("name", [name for name in GOLDEN if name.startswith("mixpanel")])
def test_a_recorded_item_can_be_made_again(name: str) -> None:
    for request in orjson.loads(GOLDEN[name].read_bytes())["requests"]:
        body, (path, _, query) = base64.b64decode(request["body"]), request["path"].partition("?")
        made = messages("mixpanel", body, path, query, request["method"], **request["headers"])
        value = unpacked(Call(body, query, request["headers"])).value
        items = value if isinstance(value, list) else [value]
        assert [again(message, item) for message, item in zip(made, items, strict=True)] == items
