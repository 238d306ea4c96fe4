"""Google Analytics 4 at the public door: servers' measurements, pages' hits, and what validation says."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import orjson
import pytest

from collector.model import Refusal
from collector.protocols import ga4, gtag
from collector.store.deliveries import unpack
from tests.test_dialects import PAGE, emitted, messages
from tests.test_kept import GOLDEN

if TYPE_CHECKING:
    from tests.conftest import Running

TAG, SECRET = "G-TEST123", "s3cr3t+/value"
MEASURE = f"?{urlencode({'measurement_id': TAG, 'api_secret': SECRET})}"
ENVELOPE = {
    "client_id": "123.456",
    "user_id": "u1",
    "timestamp_micros": 1767323000123456,
    "user_properties": {"plan": {"value": "pro"}, "n": {"value": 7, "timestamp_micros": 1}},
    "consent": {"ad_user_data": "GRANTED"},
    "user_location": {"city": "Bern"},
    "ip_override": "203.0.113.9",
}
PARAMS = {
    "session_id": "s1",
    "engagement_time_msec": 100,
    "page_location": "https://shop.example/a?utm_source=news",
    "page_title": "A",
    "page_referrer": "https://x.example/",
    "items": [{"item_id": "sku", "price": 9.5}],
}
BOUGHT = {"name": "purchase", "params": PARAMS}


def again(message: dict[str, Any], envelope: dict[str, Any], item: dict[str, Any]) -> Any:
    """Return the request of one event as it can be made again from what is stored."""
    own = message["context"].get("ga4", {})
    ids, context = own.get("ids", {}), message["context"]
    places = {**ga4.PLACES, "client_id": "anonymousId", "app_instance_id": "anonymousId"}
    kept = {**message, "context": {**context, "ga4": {**own, **ids}}}
    outer = emitted(
        kept, "ga4", {k: v for k, v in envelope.items() if k not in {"events", "user_properties"}}, places
    )
    if "user_properties" in envelope:
        held = own.get("user_properties", {})
        plain = {key: {"value": value} for key, value in context.get("traits", {}).items()}
        outer["user_properties"] = {**plain, **held} if isinstance(held, dict) else held
    params = {**message, "context": {**context, "ga4": {**message.get("properties", {}), **ids}}}
    named = {**ga4.PARAM_PLACES, "session_id": "sessionId", "screen_name": "name"}
    inner = emitted(params, "ga4", item["params"], named)
    name = message.get("event", {"page": "page_view", "screen": "screen_view"}.get(message["type"]))
    return outer, {"name": name, "params": inner, **own.get("event", {})}


MEASURED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (ENVELOPE, BOUGHT),
    (ENVELOPE, {"name": "page_view", "params": PARAMS}),
    ({"app_instance_id": "a" * 32}, {"name": "screen_view", "params": {"screen_name": "Home"}}),
    ({**ENVELOPE, "app_instance_id": "b"}, {**BOUGHT, "timestamp_micros": "1767323001000000"}),
    ({**ENVELOPE, "client_id": 7.5, "user_id": 9, "user_properties": [1]}, BOUGHT),
    (ENVELOPE, {"name": "x", "params": {"session_id": 17, "page_title": None, "": 1, "a.b": {}}}),
    ({"client_id": "c", "user_id": "", "user_properties": {"a": 1, "b": {}}}, {"name": "x", "params": {}}),
]


@pytest.mark.parametrize(("envelope", "item"), MEASURED)
def test_nothing_of_a_measurement_is_lost(envelope: dict[str, Any], item: dict[str, Any]) -> None:
    (message,) = messages("ga4", {**envelope, "events": [item]}, "/mp/collect", MEASURE[1:])

    assert again(message, envelope, item) == (envelope, item)
    assert SECRET not in str(message)


async def test_a_servers_events_have_their_shape_and_time(running: Running) -> None:
    await running.add(bridge="rest", settings={"sites": [f"ga4:{TAG}"]}, privacy={"visitors": "cookie"})
    body = {**ENVELOPE, "events": [BOUGHT, {"name": "page_view", "params": PARAMS}]}

    answer = await running.public.post(f"/mp/collect{MEASURE}", json=body)

    assert (answer.status, await answer.read()) == (204, b"")
    event, page = await running.events()
    assert (event["event"], page["type"], page["collector"]["protocol"]) == ("purchase", "page", "ga4")
    assert (event["anonymousId"], event["userId"], event["sessionId"]) == ("123.456", "u1", "s1")
    assert event["originalTimestamp"] == event["timestamp"] == "2026-01-02T03:03:20.123Z"
    assert event["context"]["traits"] == {"plan": "pro"}
    assert event["properties"] == {"engagement_time_msec": 100, "items": PARAMS["items"]}
    assert page["context"]["campaign"]["source"] == "news"


async def test_the_secret_is_not_remembered(running: Running) -> None:
    source = await running.add(bridge="rest", settings={"sites": [f"ga4:{TAG}"], "keep": "all"})

    await running.public.post(f"/mp/collect{MEASURE}", json={**ENVELOPE, "events": [BOUGHT]})

    await running.parts.deliveries.flush()
    (row,) = await running.parts.deliveries.last(source.id)
    kept = unpack(row["raw"], source)
    assert "s3cr3t" not in f"{kept.query} {kept.url} {kept.body!r} {await running.events()}"


async def test_a_bad_event_costs_only_itself(running: Running) -> None:
    await running.add(bridge="rest", settings={"sites": [f"ga4:{TAG}"]})

    answer = await running.public.post(f"/mp/collect{MEASURE}", json={**ENVELOPE, "events": [BOUGHT, {}, 7]})

    assert answer.status == 204
    assert [event["event"] for event in await running.events()] == ["purchase"]
    assert len(await running.events("quarantine")) == 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([], "not_an_object"),
        (ENVELOPE, "not_a_list"),
        ({**ENVELOPE, "events": [BOUGHT] * 26}, "too_many_events"),
        ({"events": [BOUGHT]}, "missing_field"),
        ({**ENVELOPE, "events": [{"params": {}}]}, "missing_field"),
        ({**ENVELOPE, "events": [{"name": "x", "params": 7}]}, "wrong_type"),
    ],
)
async def test_what_is_refused_says_why(running: Running, body: Any, reason: str) -> None:
    await running.add(bridge="rest", settings={"sites": [f"ga4:{TAG}"]})

    answer = await running.public.post(f"/mp/collect{MEASURE}", json=body)

    assert answer.status in {400, 413}
    assert reason in await answer.text()


JUDGED: list[tuple[Any, list[tuple[str, str]]]] = [
    ({**ENVELOPE, "events": [BOUGHT]}, []),
    ({}, [("client_id", "VALUE_REQUIRED"), ("events", "VALUE_REQUIRED")]),
    ({"client_id": "c", "events": [{"name": "x"}] * 26}, [("events", "EXCEEDED_MAX_ENTITIES")]),
    (
        {"client_id": "c", "events": [7, {}, {"name": "1x"}, {"name": "first_open"}, {"name": ["x"]}]},
        [
            ("events[0]", "VALUE_INVALID"),
            ("events[1].name", "VALUE_REQUIRED"),
            ("events[2].name", "NAME_INVALID"),
            ("events[3].name", "NAME_RESERVED"),
            ("events[4].name", "NAME_INVALID"),
        ],
    ),
    (
        {"client_id": "c", "events": {"name": "x", "params": {"a b": 1, "long": "x" * 101}}},
        [("events[0].params", "NAME_INVALID"), ("events[0].params.long", "VALUE_OUT_OF_BOUNDS")],
    ),
    (
        {
            "client_id": "c",
            "events": [{"name": "x", "params": []}, {"name": "y", "params": {f"p{n}": n for n in range(26)}}],
        },
        [("events[0].params", "VALUE_INVALID"), ("events[1].params", "EXCEEDED_MAX_ENTITIES")],
    ),
    ([], [("", "VALUE_INVALID")]),
]


@pytest.mark.parametrize(("body", "expected"), JUDGED)
async def test_validation_names_what_google_would_and_keeps_nothing(
    running: Running, body: Any, expected: list[tuple[str, str]]
) -> None:
    await running.add(bridge="rest", settings={"sites": [f"ga4:{TAG}"]})

    answer = await running.public.post(f"/debug/mp/collect{MEASURE}", json=body)

    told = (await answer.json())["validationMessages"]
    assert answer.status == 200
    assert [(each["fieldPath"], each["validationCode"]) for each in told] == expected
    assert await running.events() == []


async def test_validation_tells_of_an_unknown_measurement_id(running: Running) -> None:
    answer = await running.public.post(f"/debug/mp/collect{MEASURE}", json={**ENVELOPE, "events": [BOUGHT]})

    (told,) = (await answer.json())["validationMessages"]
    assert (answer.status, told["fieldPath"]) == (200, "measurement_id")
    assert "ga4:ID" in told["description"]
    assert SECRET not in str(told)


HIT = {
    "v": "2",
    "tid": TAG,
    "cid": "123.456",
    "sid": "1767323000",
    "sct": "1",
    "en": "page_view",
    "dl": "https://shop.example/a?utm_source=news",
    "dt": "A",
    "dr": "https://x.example/",
    "ul": "de-ch",
    "sr": "1920x1080",
}
HITS: list[tuple[dict[str, str], dict[str, Any], dict[str, Any]]] = [
    ({}, {}, {}),
    ({"en": "screen_view", "dr": ""}, {}, {}),
    (
        {"en": "buy", "ep.plan": "pro", "epn.value": "9.50", "_et": "1200"},
        {"plan": "pro", "value": 9.5, "engagement_time_msec": 1200},
        {},
    ),
    ({"en": "x", "up.tier": "gold", "upn.age": "7", "uid": "u1"}, {}, {"tier": "gold", "age": 7}),
    ({"en": "x", "ep.a": "text", "epn.a": "1", "epn.b": "NaN", "ep.": "", "ep.c.d": "e"}, {"a": "text"}, {}),
    ({"en": "x", "_et": "5", "ep.engagement_time_msec": "6"}, {"engagement_time_msec": 5}, {}),
    ({"en": "x", "_et": "soon", "auid": "1.2", "pr1": "idSKU~nmShirt"}, {"engagement_time_msec": "soon"}, {}),
]


@pytest.mark.parametrize(("fields", "properties", "traits"), HITS)
def test_nothing_of_a_hit_is_lost(
    fields: dict[str, str], properties: dict[str, Any], traits: dict[str, Any]
) -> None:
    item = {**HIT, **fields}

    (message,) = messages("ga4", b"", "/g/collect", urlencode(item))

    assert properties.items() <= message.get("properties", {}).items()
    assert message["context"].get("traits", {}) == traits
    assert hit_again(message, item) == item


def hit_again(message: dict[str, Any], item: dict[str, str]) -> dict[str, str]:
    """Return a hit as it can be made again from what is stored."""
    kinds = {kind: name for name, kind in gtag.KINDS.items()}
    own, context = message["context"].get("ga4", {}), message["context"]
    named = {"event": kinds.get(message["type"]), **message}
    made = {}
    for key, value in item.items():
        prefix, _, name = key.partition(".")
        if key in own:
            made[key] = own[key]
        elif name:
            made[key] = (message["properties"] if prefix in {"ep", "epn"} else context["traits"])[name]
        else:
            made |= emitted({**named, "context": context}, "-", {key: value}, gtag.PLACES)
    return {key: str(value) for key, value in made.items()}


async def test_a_page_sends_one_hit_in_the_query_or_more_as_lines(running: Running) -> None:
    await running.add(settings={"sites": [f"ga4:{TAG}"]}, privacy={"visitors": "cookie"})
    common = {key: value for key, value in HIT.items() if key != "en"}

    got = await running.public.get(f"/g/collect?{urlencode(HIT)}", headers=PAGE)
    beacon = await running.public.post(f"/g/collect?{urlencode(HIT)}", headers=PAGE)
    lines = b"en=scroll&epn.percent=90\r\nen=click&ep.link=a\r\n\r\n_et=1\r\nen=x&tid=G-OTHER"
    many = await running.public.post(f"/g/collect?{urlencode(common)}", data=lines, headers=PAGE)

    assert [answer.status for answer in (got, beacon, many)] == [204] * 3
    assert beacon.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]
    events = await running.events()
    assert [event.get("event", event["type"]) for event in events] == ["page", "page", "scroll", "click"]
    assert {event["anonymousId"] for event in events} == {"123.456"}
    assert {event["sessionId"] for event in events} == {"1767323000"}
    assert events[3]["context"]["page"]["url"] == HIT["dl"]
    assert events[0]["context"]["browser"]["name"] == "Firefox"
    assert many.headers["X-Headwater-Reason"] == "missing_field, unknown_source"


async def test_what_lasts_in_the_browser_is_left_out_where_nothing_may_last(running: Running) -> None:
    await running.add(settings={"sites": [f"ga4:{TAG}"]})

    query = urlencode({**HIT, "auid": "long.lasting", "ecid": "lasting.too"})
    await running.public.post(f"/g/collect?{query}", headers=PAGE)

    (event,) = await running.events()
    assert "lasting" not in str(event)
    assert HIT["cid"] not in str(event)


def test_more_lines_than_events_are_allowed_are_refused_before_they_are_read() -> None:
    with pytest.raises(Refusal, match="too_many_events"):
        messages("ga4", b"en=x\n" * 501, "/g/collect", urlencode(HIT))


@pytest.mark.parametrize("name", ["ga4mp-2.0.4", "minimal-analytics-ga4-1.8.7"])
def test_a_recorded_item_can_be_made_again(name: str) -> None:
    for request in orjson.loads(GOLDEN[name].read_bytes())["requests"]:
        body, (path, _, query) = base64.b64decode(request["body"]), request["path"].partition("?")
        made = messages("ga4", body, path, query, **request["headers"])
        if body:
            envelope = orjson.loads(body)
            items = envelope.pop("events")
            assert [again(message, envelope, item) for message, item in zip(made, items, strict=True)] == [
                (envelope, item) for item in items
            ]
        else:
            item = dict(parse_qsl(query))
            assert [hit_again(message, item) for message in made] == [item]
