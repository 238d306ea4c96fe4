"""Amplitude's uploads at the public door: nothing lost, the answers that its SDKs act upon, its limits."""

from __future__ import annotations

import base64
import gzip
from io import BytesIO
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from collector.protocols import amplitude
from collector.protocols.clock import to_ms
from tests.test_dialects import PAGE, SITES, messages
from tests.test_kept import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Running

KEY = SITES["amplitude"]
BOUGHT: dict[str, Any] = {
    "event_type": "Order Completed",
    "user_id": "user-1",
    "device_id": "device-1",
    "session_id": 1767322990000,
    "insert_id": "0190a3f0-insert",
    "event_id": 7,
    "time": 1767323000123,
    "event_properties": {"plan": "pro", "price": 1},
    "user_properties": {"tier": "gold"},
    "groups": {"company": "ACME"},
    "revenue": 9.5,
    "price": 9.5,
    "quantity": 1,
    "ip": "$remote",
    "language": "de-CH",
    "platform": "Web",
    "user_agent": PAGE["User-Agent"],
    "library": "amplitude-ts/2.48.1",
    "plan": {"branch": "main"},
    "ingestion_metadata": {"source_name": "shop"},
    "idfa": "i",
    "location_lat": 47.4,
}


def uploaded(*events: Any, **fields: Any) -> dict[str, Any]:
    return {"api_key": KEY, "events": [*events], **fields}


def again(message: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event of Amplitude's as it can be made again from what is stored."""
    context = message["context"]
    own = {**context.get("amplitude", {}), **context.get("amplitude", {}).get("ids", {})}
    kinds = {kind: name for name, kind in amplitude.KINDS.items()}
    page = {
        key: context["page"][place]
        for key, place in amplitude.PAGE.items()
        if place in context.get("page", {})
    }
    properties = {**message.get("properties", {}), **page}
    placed = {
        "event_type": message.get("event") or kinds[message["type"]],
        "user_id": message.get("userId"),
        "device_id": message.get("anonymousId"),
        "insert_id": message["messageId"],
        "time": to_ms(message.get("originalTimestamp")),
        "ip": context.get("ip"),
        "language": context.get("locale"),
        "user_agent": context.get("userAgent"),
        "library": context.get("library", {}).get("name"),
    }
    made: dict[str, Any] = {key: own.get(key, placed.get(key)) for key in item}
    for key in amplitude.REVENUE:
        if key in item and key not in own:
            made[key] = properties.pop(key)
    if "event_properties" in item:
        made["event_properties"] = properties
    key = "group_properties" if message["type"] == "group" else "user_properties"
    if key in item:
        traits = message["traits"] if message["type"] in {"identify", "group"} else context.get("traits", {})
        made[key] = {"$set": traits, **own.get(key, {})} if "$set" in item[key] else traits
    return made


EVENTS = [
    BOUGHT,
    {"event_type": "x", "user_id": 71234567, "insert_id": "i1", "session_id": -1, "time": 1767323000123},
    {
        "event_type": "y",
        "user_id": "user-1",
        "insert_id": "i6",
        "time": "soon",
        "user_properties": {"a": [1]},
    },
    {
        "event_type": "[Amplitude] Page Viewed",
        "device_id": "device-1",
        "insert_id": "i2",
        "event_properties": {
            "[Amplitude] Page Location": "https://shop.example/a?utm_source=news",
            "[Amplitude] Page Title": "A",
            "[Amplitude] Page Path": "/a",
        },
    },
    {
        "event_type": "$identify",
        "user_id": "user-1",
        "insert_id": "i3",
        "user_properties": {"$set": {"plan": "pro"}, "$add": {"visits": 1}, "$unset": {"old": "-"}},
    },
    {
        "event_type": "$groupidentify",
        "user_id": "user-1",
        "insert_id": "i4",
        "groups": {"company": "ACME"},
        "group_properties": {"$set": {"seats": 7}, "$setOnce": {"since": 1}},
    },
]


@pytest.mark.parametrize("item", EVENTS, ids=lambda item: item["event_type"])
def test_nothing_of_amplitudes_is_lost(item: dict[str, Any]) -> None:
    (message,) = messages("amplitude", uploaded(item), "/2/httpapi")

    assert again(message, item) == item
    assert KEY not in str(message)


async def test_an_upload_has_its_shape_its_times_and_its_counts(running: Running) -> None:
    await running.add(settings={"sites": [f"amplitude:{KEY}"]}, privacy={"visitors": "cookie"})
    items = [item for item in EVENTS if item["event_type"] != "y"]
    body = uploaded(*items, client_upload_time="2026-01-02T03:03:30.123Z")
    for data in (orjson.dumps(body), gzip.compress(orjson.dumps(body))):  # and once more: each event once
        answer = await running.public.post("/2/httpapi", data=data, headers=PAGE)
        told = await answer.json()
        assert (answer.status, told["code"], told["events_ingested"]) == (200, 200, 5)

    bought, other, page, identify, group = await running.events()
    assert (bought["event"], bought["userId"], bought["anonymousId"]) == (
        "Order Completed",
        "user-1",
        "device-1",
    )
    assert (bought["messageId"], bought["sessionId"]) == ("0190a3f0-insert", "1767322990000")
    assert bought["properties"] == {"plan": "pro", "price": 1, "revenue": 9.5, "quantity": 1}
    assert bought["context"]["traits"] == {"tier": "gold"}
    assert bought["originalTimestamp"] == "2026-01-02T03:03:20.123Z"
    assert bought["sentAt"] == "2026-01-02T03:03:30.123Z"  # ten seconds later: so long before it arrived
    assert bought["timestamp"] < bought["receivedAt"]
    assert bought["context"]["browser"]["name"] == "Firefox"
    assert (other["userId"], "sessionId" in other) == ("71234567", False)
    assert (page["type"], page["context"]["campaign"]["source"]) == ("page", "news")
    assert (identify["type"], identify["traits"]) == ("identify", {"plan": "pro"})
    assert (group["groupId"], group["traits"]) == ("ACME", {"seats": 7})


async def test_only_who_asks_for_it_has_an_address(running: Running) -> None:
    fields = {"settings": {"sites": [f"amplitude:{KEY}"]}, "privacy": {"address": "network"}}
    await running.add(bridge="rest", **fields)
    wishes = [{"ip": "203.0.113.9"}, {"ip": "$remote"}, {}]
    items = [
        {"event_type": "x", "user_id": "user-1", "insert_id": str(n), **ip} for n, ip in enumerate(wishes)
    ]

    await running.public.post("/batch", json=uploaded(*items), headers=PAGE)

    addresses = [event["context"].get("ip") for event in await running.events()]
    assert addresses == ["203.0.113.0", "127.0.0.0", None]


async def test_a_bad_event_costs_only_itself_and_is_named(running: Running) -> None:
    await running.add(bridge="rest", settings={"sites": [f"amplitude:{KEY}"]})
    nobody, nothing = {"event_type": "x"}, {"user_id": "user-1"}

    mixed = await running.public.post("/2/httpapi", json=uploaded(nobody, BOUGHT, 7))
    bad = await running.public.post(
        "/2/httpapi", json=uploaded(nothing, nobody, {**BOUGHT, "user_properties": 1})
    )

    told = await mixed.json()
    assert (mixed.status, told["events_ingested"]) == (200, 1)
    assert told["events_with_missing_fields"] == {"missing_field": [0]}
    told = await bad.json()
    assert (bad.status, told["code"]) == (400, 400)
    assert told["events_with_missing_fields"] == {"missing_field": [0, 1]}
    assert told["events_with_invalid_fields"] == {"wrong_type": [2]}
    assert len(await running.events()) == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/2/httpapi", {"api_key": "unknown", "events": [BOUGHT]}, 400),
        ("/2/httpapi", uploaded(*[BOUGHT] * 2001), 413),
        ("/2/httpapi", uploaded({**BOUGHT, "x": "y" * 1_000_000}), 413),
        ("/2/httpapi", [], 400),
        ("/batch", {"api_key": KEY}, 400),
    ],
)
async def test_what_is_refused_as_a_whole_has_its_code_in_the_body(
    running: Running, path: str, body: Any, status: int
) -> None:
    """Its SDKs look at ``code`` alone, and at the beginning of ``error``."""
    await running.add(bridge="rest", settings={"sites": [f"amplitude:{KEY}"]})

    answer = await running.public.post(path, data=BytesIO(orjson.dumps(body)))

    told = await answer.json()
    assert (answer.status, told["code"]) == (status, status)
    assert told["error"].startswith("Invalid API key") == (
        isinstance(body, dict) and body["api_key"] == "unknown"
    )
    assert await running.events() == []


async def test_ids_too_short_for_amplitude_are_left_out(running: Running) -> None:
    await running.add(bridge="rest", settings={"sites": [f"amplitude:{KEY}"]})
    short, none = {**BOUGHT, "user_id": "u1"}, {"event_type": "x", "user_id": "u1"}
    allowed = {**none, "insert_id": "other"}

    await running.public.post("/2/httpapi", json=uploaded(short, none))
    await running.public.post("/2/httpapi", json=uploaded(allowed, options={"min_id_length": 1}))

    first, second = await running.events()
    assert ("userId" in first, first["collector"]["flags"]) == (False, ["id_dropped"])
    assert second["userId"] == "u1"


@pytest.mark.parametrize("name", [name for name in GOLDEN if name.startswith("amplitude")])
def test_a_recorded_item_can_be_made_again(name: str) -> None:
    for request in orjson.loads(GOLDEN[name].read_bytes())["requests"]:
        body = base64.b64decode(request["body"])
        made = messages("amplitude", body, request["path"], **request["headers"])
        items = orjson.loads(body)["events"]
        assert [again(message, item) for message, item in zip(made, items, strict=True)] == items
