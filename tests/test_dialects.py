"""Other systems' dialects at the public door: their clients' answers, sources, privacy; nothing lost."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from collector.model import Hit, Refusal, Source
from collector.protocols import Limits, plausible, posthog, umami
from collector.protocols.dialect import Call
from collector.protocols.dialects import DIALECTS
from collector.sources.keys import add_key
from collector.store.deliveries import unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Running

PAGE = {"Origin": "https://shop.example", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/149.0"}
SITES = {
    "plausible": "shop.example",
    "umami": "b1c2d3e4-0000-4000-8000-000000000001",
    "posthog": "phc_0123456789abcdef",
    "matomo": "37",
    "snowplow": "shop-app",
    "ga4": "G-TEST123",
    "amplitude": "0123456789abcdef0123456789abcdef",
    "mixpanel": "fedcba9876543210fedcba9876543210",
}
VIEW = {"n": "pageview", "u": "https://shop.example/a", "d": "shop.example", "r": None}
SEEN = {"website": SITES["umami"], "hostname": "shop.example", "url": "/a", "title": "A", "screen": "1x1"}


def messages(
    name: str, body: Any, path: str = "", query: str = "", method: str = "POST", **headers: str
) -> list[dict[str, Any]]:
    """Return what a dialect makes of a request, before enrichment."""
    source = Source(id="r1", name="Test", bridge="web", settings=None)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = DIALECTS[name].read(Call(data, query, headers, method, path))
    hit = Hit(source, 1767323045000, data, query, headers)
    return [event.message for event in sent.protocol(hit, Limits()).events]


def emitted(message: dict[str, Any], name: str, item: Mapping[str, Any], places: Mapping[str, str]) -> Any:
    """Return the client's item as it can be made again from what is stored."""
    rest = message["context"].get(name, {})
    return {key: rest[key] if key in rest else _at(message, places[key]) for key in item}


def _at(message: Any, path: str) -> Any:
    for part in path.split("."):
        message = message[part]
    return message


PLAUSIBLE = [
    VIEW,
    {**VIEW, "n": "Signup", "p": {"plan": "pro"}, "i": False, "$": {"amount": 7.5, "currency": "EUR"}},
    {"name": "engagement", "url": "https://shop.example/", "domain": "shop.example", "sd": 80, "e": 900},
    {**VIEW, "n": "x", "m": [1], "w": 1200, "h": 1, "v": 9, "u": {"no": "text"}},
]


@pytest.mark.parametrize("item", PLAUSIBLE)
def test_nothing_of_plausibles_is_lost(item: dict[str, Any]) -> None:
    (message,) = messages("plausible", item)
    places = plausible.PLACES if message["type"] == "track" else {**plausible.PLACES, "n": "name"}

    assert emitted(message, "plausible", item, places) == item


async def test_plausibles_page_view_and_event(running: Running) -> None:
    source = await running.add(settings={"sites": ["plausible:shop.example"]})
    goal = {**VIEW, "n": "Signup", "m": '{"plan":"pro"}', "r": "https://x.example/"}

    answers = [await running.public.post("/api/event", json=item, headers=PAGE) for item in (VIEW, goal)]

    assert [(answer.status, await answer.text()) for answer in answers] == [(202, "ok")] * 2
    page, event = await running.events()
    assert (page["type"], page["context"]["page"]["path"]) == ("page", "/a")
    assert (event["event"], event["properties"]) == ("Signup", {"plan": "pro"})
    assert event["context"]["page"]["referrer"] == "https://x.example/"
    assert event["anonymousId"] == page["anonymousId"]  # made by the source's privacy: cookieless
    assert (page["source"]["id"], page["collector"]["protocol"]) == (source.id, "plausible")
    assert event["context"]["browser"]["name"] == "Firefox"


async def test_a_dropped_one_says_so(running: Running) -> None:
    await running.add(settings={"sites": ["plausible:shop.example"]}, privacy={"gpc": "drop"})

    answer = await running.public.post("/api/event", json=VIEW, headers={**PAGE, "Sec-GPC": "1"})

    assert (answer.status, answer.headers["X-Plausible-Dropped"]) == (202, "1")
    assert await running.events() == []


async def test_on_a_rest_source_plausibles_headers_are_the_visitors(running: Running) -> None:
    await running.add(
        bridge="rest", settings={"sites": ["plausible:shop.example"]}, privacy={"address": "network"}
    )
    forwarded = {"User-Agent": PAGE["User-Agent"], "X-Forwarded-For": "203.0.113.9, 10.0.0.1"}

    assert (await running.public.post("/api/event", json=VIEW, headers=forwarded)).status == 202

    (event,) = await running.events()
    assert (event["context"]["ip"], event["context"]["browser"]["name"]) == ("203.0.113.0", "Firefox")


UMAMI = [
    {"type": "event", "payload": SEEN},
    {"type": "event", "payload": {**SEEN, "name": "Buy", "tag": "b", "id": "u1", "data": {"n": 1}}},
    {"type": "identify", "payload": {**SEEN, "id": "u1", "data": {"plan": "pro"}}},
    {"type": "performance", "payload": {**SEEN, "lcp": 1200, "cls": 0.1, "name": ""}},
    {"type": "event", "payload": {**SEEN, "name": "b", "data": [1], "timestamp": 1767323000, "ip": "::1"}},
]


@pytest.mark.parametrize("item", UMAMI)
def test_nothing_of_umamis_is_lost(item: dict[str, Any]) -> None:
    (message,) = messages("umami", item)
    places = {**umami.PLACES, "data": "traits" if item["type"] == "identify" else "properties"}

    again = emitted(message, "umami", item["payload"], places)
    again["url"] = again["url"].removeprefix("https://shop.example")
    assert again == item["payload"]
    assert message["context"]["umami"]["$type"] == item["type"]


def test_a_path_without_its_host_is_a_path() -> None:
    (message,) = messages("umami", {"type": "event", "payload": {"website": "w", "url": "/home?a=b"}})

    assert message["context"]["page"] == {"path": "/home", "search": "?a=b"}


async def test_umamis_visit_goes_on_with_its_token(running: Running) -> None:
    await running.add(settings={"sites": [f"umami:{SITES['umami']}"]}, privacy={"visitors": "cookie"})

    first = await running.public.post("/api/send", json=UMAMI[0], headers=PAGE)
    told = await first.json()
    headers = {**PAGE, "x-umami-cache": told["cache"]}
    second = await running.public.post("/api/send", json=UMAMI[1], headers=headers)
    forged = await running.public.post("/api/send", json=UMAMI[0], headers={**PAGE, "x-umami-cache": "a.b.c"})

    assert (first.status, set(told)) == (200, {"cache", "sessionId", "visitId"})
    assert await second.json() == told
    page, event, other = await running.events()
    assert page["context"]["page"] == {"url": "https://shop.example/a", "path": "/a", "title": "A"}
    assert (event["event"], event["userId"], event["properties"]) == ("Buy", "u1", {"n": 1})
    assert page["sessionId"] == event["sessionId"] == told["visitId"]
    assert page["anonymousId"] == event["anonymousId"] == told["sessionId"]
    assert other["sessionId"] != page["sessionId"]
    assert forged.status == 200


async def test_umamis_batch_names_what_is_bad(running: Running) -> None:
    await running.add(settings={"sites": [f"umami:{SITES['umami']}"]})
    foreign = {"type": "event", "payload": {**SEEN, "website": "other"}}

    answer = await running.public.post("/api/batch", json=[*UMAMI, {"type": "no", "payload": SEEN}, foreign])

    told = await answer.json()
    assert answer.status == 200
    assert (told["size"], told["processed"], told["errors"]) == (7, 5, 2)
    assert [row["index"] for row in told["details"]] == [5, 6]
    assert len(await running.events()) == 5


async def test_a_bot_that_is_not_wanted_hears_umamis_beep(running: Running) -> None:
    await running.add(settings={"sites": [f"umami:{SITES['umami']}"]}, enrichment={"bots": "drop"})

    answer = await running.public.post("/api/send", json=UMAMI[0], headers={"User-Agent": "Googlebot/2.1"})

    assert (answer.status, await answer.json()) == (200, {"beep": "boop"})


POSTHOG_PROPERTIES = {
    "token": SITES["posthog"],
    "distinct_id": "d1",
    "$device_id": "dev1",
    "$session_id": "s1",
    "$window_id": "w1",
    "$current_url": "https://shop.example/a?utm_source=news",
    "$pathname": "/a",
    "title": "A",
    "$referrer": "$direct",
    "$lib": "web",
    "$lib_version": "1.449.2",
    "plan": "pro",
    "$set_once": {"$initial_referrer": "$direct"},
}
UUID = "0190a3f0-0000-7000-8000-000000000000"


def captured(event: str, **fields: Any) -> dict[str, Any]:
    """Return an item as posthog-js sends it."""
    properties = {**POSTHOG_PROPERTIES, **fields.pop("properties", {})}
    return {
        "uuid": UUID,
        "event": event,
        "timestamp": "2026-01-02T03:04:00.123Z",
        "properties": properties,
        **fields,
    }


POSTHOG = [
    captured("$pageview"),
    captured("$autocapture", properties={"$elements": [{"tag_name": "a"}], "$referrer": "https://x.example"}),
    captured("bought", **{"$set": {"email": "a@x.example"}, "$set_once": {"first": 1}, "offset": 100}),
    captured(
        "$identify",
        **{"$set": {"plan": "pro"}},
        properties={"$anon_distinct_id": "a1", "$is_identified": True},
    ),
    captured(
        "$groupidentify", properties={"$group_type": "company", "$group_key": "g", "$group_set": {"n": 1}}
    ),
    captured("$screen", properties={"$screen_name": "Home", "$timezone": "Europe/Zurich"}),
    captured(
        "x", properties={"$session_id": 7, "$current_url": None}, api_key=SITES["posthog"], window_id="w"
    ),
]


@pytest.mark.parametrize("item", POSTHOG, ids=lambda item: item["event"])
def test_nothing_of_posthogs_is_lost(item: dict[str, Any]) -> None:
    (message,) = messages("posthog", item)
    own = message["context"]["posthog"]
    held = {**message.get("properties", {}), **own.pop("properties", {}), **own.get("ids", {})}
    about = {"$set": "traits"} if message["type"] == "identify" else {}

    said = {"token", "distinct_id"}
    inner = {key: value for key, value in item["properties"].items() if key not in said}
    inside = {**message, "context": {**message["context"], "posthog": held}}
    assert emitted(inside, "posthog", inner, posthog.PROPERTY_PLACES | about) == inner
    if message["type"] == "track":
        own["event"] = message["event"]
    outer = {key: value for key, value in item.items() if key not in {"properties", "api_key"}}
    assert emitted(message, "posthog", outer, posthog.PLACES | about) == outer


PEOPLE = [
    ("nobody known", captured("a"), {"anonymousId": "d1"}),
    (
        "known",
        captured("a", properties={"$is_identified": True}),
        {"userId": "d1", "anonymousId": "dev1"},
    ),
    (
        "identify",
        captured("$identify", properties={"$anon_distinct_id": "a1"}),
        {"userId": "d1", "anonymousId": "a1"},
    ),
    ("alias", captured("$create_alias", properties={"alias": "u9"}), {"userId": "u9", "previousId": "d1"}),
    (
        "at the top",
        {**captured("a", properties={"distinct_id": None}), "distinct_id": 7},
        {"anonymousId": "7"},
    ),
]


@pytest.mark.parametrize(("_name", "item", "expected"), PEOPLE, ids=[row[0] for row in PEOPLE])
def test_who_posthogs_events_are_about(_name: str, item: Any, expected: Any) -> None:
    (message,) = messages("posthog", item)

    found = {key: message[key] for key in ("userId", "anonymousId", "previousId") if key in message}
    assert found == expected


PACKED = base64.b64encode(orjson.dumps(captured("bought", properties={"t": "ü?>"})))
WAYS = [
    (
        "/batch/",
        orjson.dumps({"api_key": SITES["posthog"], "batch": [captured("bought")]}),
        "application/json",
    ),
    ("/e/?compression=gzip-js&ip=1", gzip.compress(orjson.dumps([captured("bought")])), "text/plain"),
    ("/e/", orjson.dumps(captured("bought")), "text/plain"),
    ("/capture/", b"data=" + quote(PACKED).encode(), "application/x-www-form-urlencoded"),
    ("/e/?compression=base64", b"data=" + PACKED, "application/x-www-form-urlencoded"),
    ("/i/v0/e/", PACKED, "text/plain"),
]


@pytest.mark.parametrize(("path", "body", "label"), WAYS, ids=[row[0] for row in WAYS])
async def test_posthogs_bodies_and_packings(running: Running, path: str, body: bytes, label: str) -> None:
    await running.add(settings={"sites": [f"posthog:{SITES['posthog']}"]})

    for _ in range(2):  # sent again: one id, one event
        answer = await running.public.post(path, data=body, headers={**PAGE, "Content-Type": label})
        assert (answer.status, await answer.json()) == (200, {"status": 1})

    (event,) = await running.events()
    assert (event["event"], event["messageId"], event["sessionId"]) == ("bought", UUID, "s1")
    assert event["context"]["campaign"]["source"] == "news"
    assert "ids" not in event["context"]["posthog"]  # the source is cookieless
    assert SITES["posthog"] not in str(event)


async def test_posthogs_v1_names_what_became_of_each(running: Running) -> None:
    source = await running.add(bridge="rest")
    key = await add_key(running.parts.catalogue, source.id, key=SITES["posthog"])
    headers = {"Authorization": f"Bearer {key}"}
    batch = [captured("a", uuid="u1"), captured("", uuid="u2")]

    for items in (batch, batch[1:]):
        answer = await running.public.post("/i/v1/analytics/events", json={"batch": items}, headers=headers)
        told = (await answer.json())["results"]
        assert (answer.status, told["u2"]["result"]) == (200, "drop")
    assert [event["messageId"] for event in await running.events()] == ["u1"]


async def test_what_posthogs_browser_client_asks_first(running: Running) -> None:
    config = await running.public.get(f"/array/{SITES['posthog']}/config")
    script = await running.public.get(f"/array/{SITES['posthog']}/config.js")
    flags = await running.public.post("/flags/?v=2", json={"token": SITES["posthog"]}, headers=PAGE)

    assert (await config.json())["sessionRecording"] is False
    assert SITES["posthog"] in await script.text()
    assert (await flags.json())["featureFlags"] == {}
    assert flags.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]


def test_an_old_client_without_ids_sends_one_event_twice() -> None:
    item = {key: value for key, value in captured("a").items() if key != "uuid"}

    (first,), (second,) = messages("posthog", item), messages("posthog", item)

    assert first["messageId"] == second["messageId"]


async def test_addresses_that_a_client_repeats_are_cleaned_as_the_pages(running: Running) -> None:
    await running.add(settings={"sites": [f"posthog:{SITES['posthog']}", f"umami:{SITES['umami']}"]})
    link = {"attr__href": "https://shop.example/b?token=secret#x"}
    properties = {
        "$session_entry_url": "https://shop.example/?token=secret&utm_source=a",
        "$elements": [link],
    }
    seen = {"type": "event", "payload": {**SEEN, "url": "/a?token=secret"}}

    await running.public.post("/e/", json=captured("$autocapture", properties=properties), headers=PAGE)
    await running.public.post("/api/send", json=seen, headers=PAGE)

    first, second = await running.events()
    assert "secret" not in str((first, second))
    own = first["context"]["posthog"]["properties"]
    assert own["$session_entry_url"] == "https://shop.example/?utm_source=a"
    assert own["$elements"] == [{"attr__href": "https://shop.example/b"}]


# For every dialect: a good request of one event.
GOOD: dict[str, tuple[str, Any]] = {
    "plausible": ("/api/event", VIEW),
    "umami": ("/api/send", UMAMI[1]),
    "matomo": ("/matomo.php", {"requests": ["?idsite=37&rec=1&e_a=b&url=https%3A%2F%2Fx.example%2Fa&uid=u"]}),
    "snowplow": (
        "/com.snowplowanalytics.snowplow/tp2",
        {"data": [{"e": "se", "se_ac": "a", "aid": "shop-app", "duid": "d", "sid": "s", "tnuid": "t"}]},
    ),
    "posthog": ("/e/", captured("bought", **{"$set": {"plan": "pro"}})),
    "ga4": (
        "/mp/collect?measurement_id=G-TEST123",
        {
            "client_id": "c",
            "user_id": "u",
            "user_properties": {"plan": {"value": "pro"}},
            "events": [
                {"name": "bought", "params": {"session_id": 7, "page_location": "https://x.example/a"}}
            ],
        },
    ),
    "amplitude": (
        "/2/httpapi",
        {
            "api_key": SITES["amplitude"],
            "events": [
                {
                    "event_type": "bought",
                    "user_id": "user1",
                    "device_id": "device1",
                    "session_id": 1767323000000,
                    "user_properties": {"plan": "pro"},
                    "event_properties": {"[Amplitude] Page Location": "https://x.example/a"},
                    "idfa": "i",
                }
            ],
        },
    ),
    "mixpanel": (
        "/track/?verbose=1",
        [
            {
                "event": "bought",
                "properties": {
                    "token": SITES["mixpanel"],
                    "distinct_id": "u1",
                    "$device_id": "d1",
                    "$current_url": "https://x.example/a",
                },
            }
        ],
    ),
}


async def send(running: Running, name: str, **headers: str) -> Any:
    path, body = GOOD[name]
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return await running.public.post(path, data=data, headers={**PAGE, **headers})


@pytest.mark.parametrize("name", GOOD)
async def test_an_unknown_site_is_refused_with_what_to_do(running: Running, name: str) -> None:
    answer = await send(running, name)

    assert answer.status == (400 if name == "amplitude" else 401)  # its SDKs know it as 400
    assert f"settings.sites have {name}:" in await answer.text()
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]


@pytest.mark.parametrize("name", GOOD)
async def test_a_site_leads_to_its_source_only_from_allowed_origins(running: Running, name: str) -> None:
    fields = {"sites": [f"{name}:{SITES[name]}"], "origins": ["https://shop.example"]}
    await running.add(settings=fields)

    assert (await send(running, name)).status < 300
    foreign = await send(running, name, Origin="https://x.example")
    assert foreign.headers["X-Headwater-Reason"] == "origin_forbidden"
    assert len(await running.events()) == 1


@pytest.mark.parametrize("name", GOOD)
async def test_a_write_key_may_stand_for_a_site_and_is_not_remembered(running: Running, name: str) -> None:
    source = await running.add(bridge="rest", settings={"keep": "all"})
    await add_key(running.parts.catalogue, source.id, key=SITES[name])

    assert (await send(running, name)).status < 300

    await running.parts.deliveries.flush()
    (row,) = await running.parts.deliveries.last(source.id)
    assert SITES[name] not in repr(unpack(row["raw"], source).body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/batch", {"batch": [{"type": "nonsense", "writeKey": "a-key"}]}),
        ("/v1/import", {"type": "nonsense", "writeKey": "a-key"}),
        ("/e/", [{"event": "", "properties": {"token": "a-key"}}]),
        ("/track/", [{"event": "", "properties": {"token": "a-key"}}]),
        ("/track", {"source": {"id": "a-key"}, "events": [{"type": None, "options": {"source": "a-key"}}]}),
    ],
)
async def test_a_write_key_is_not_in_quarantine_either(running: Running, path: str, body: Any) -> None:
    source = await running.add(bridge="rest")
    await add_key(running.parts.catalogue, source.id, key="a-key")

    async with running.public.post(path, json=body, headers={"X-Write-Key": "a-key"}) as answer:
        await answer.read()

    (kept,) = await running.events("quarantine")
    assert "a-key" not in str(kept)


@pytest.mark.parametrize("name", GOOD)
async def test_who_must_not_be_known_leaves_no_id(running: Running, name: str) -> None:
    await running.add(settings={"sites": [f"{name}:{SITES[name]}"]}, privacy={"visitors": "anonymous"})

    await send(running, name)

    (event,) = await running.events()
    assert {"anonymousId", "userId", "sessionId", "traits"}.isdisjoint(event)
    assert name not in event["context"]


@pytest.mark.parametrize("name", GOOD)
async def test_consent_is_asked_for(running: Running, name: str) -> None:
    await running.add(settings={"sites": [f"{name}:{SITES[name]}"]}, privacy={"consent": "required"})

    await send(running, name)

    assert await running.events() == []


HOSTILE = [
    b"",
    b"\xff\xfe",
    b"{",
    b"[]",
    b"[1]",
    b"null",
    b"7",
    b'"a"',
    b"[" * 99_999,
    b'{"a":' * 5000,
    gzip.compress(b" " * 50_000_000),
    b"\x1f\x8bbroken",
    b"data=%%%&data=%ff",
    b"<a/>",
    b'{"batch":[1,{}],"data":[1,{}],"requests":[1,{},"?","%ff"],"api_key":[],"type":{},"payload":7}',
]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("name", GOOD)
async def test_hostile_bodies_are_no_fault(running: Running, name: str, known: bool) -> None:
    if known:
        await running.add(settings={"sites": [f"{name}:{SITES[name]}"]})
    path, good = GOOD[name]
    text = good if isinstance(good, bytes) else orjson.dumps(good)
    bodies = [*HOSTILE, text[: len(text) // 2], text + b"}", text.replace(b"/a", b"\\ud800\\u0000")]

    for body in bodies:
        answer = await running.public.post(path, data=body, headers={**PAGE, "User-Agent": "\udcfc"})
        assert answer.status < 500, body[:80]


QUERIES = [
    "",
    "%ff=%00",
    "e=pv&aid=shop-app&url=%ed%a0%80",
    "idsite=37&rec=1&url=%ff%00&cdt=9e99",
    "e&" * 999,
    "tid=G-TEST123&en=%ed%a0%80&epn.x=1e999&ep.=&up.%00=%ff&_et=-",
    "data=%ff&img=1&verbose=%00&ip=1",
    "data=W3siZXZlbnQiOjF9LDJd&verbose=1&_=9999999999999",
    "data=%7B%22event%22%3A%22a%22%2C%22properties%22%3A%7B%22time%22%3A1e300%7D%7D&img=1",
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize(
    "path", ["/i", "/matomo.php", "/piwik.php", "/g/collect", "/track", "/engage/", "/array/%ff</config.js"]
)
async def test_hostile_queries_are_no_fault(running: Running, path: str, query: str) -> None:
    await running.add(settings={"sites": ["snowplow:shop-app", "matomo:37", "ga4:G-TEST123"]})

    answer = await running.public.get(URL(f"{path}?{query}", encoded=True))

    assert answer.status < 500


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=9,
)


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", GOOD)
def test_any_values_in_the_fields_are_understood_or_refused(name: str, data: Any) -> None:
    path, good = GOOD[name]
    if isinstance(good, bytes):
        return
    body = _changed(good, data)

    try:
        messages(name, body, path)
    except Refusal as refusal:
        assert refusal.reason.status < 500  # noqa: PT017 - either is right


def _changed(value: Any, data: Any) -> Any:
    """Return a value of which any part may have become anything."""
    if data.draw(st.integers(0, 9)) == 0:
        return data.draw(JSON)
    if isinstance(value, dict):
        return {key: _changed(inner, data) for key, inner in value.items()}
    if isinstance(value, list):
        return [_changed(inner, data) for inner in value]
    return value
