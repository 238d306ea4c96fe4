"""The Segment dialect as a pure function: fields, times, pages, what has no place."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from collector.model import Event, Hit, Source
from collector.protocols import Limits
from collector.protocols.payload import read_payload
from collector.protocols.segment import segment

RECEIVED = 1767323045000  # 2026-01-02T03:04:05Z


def read(body: Any, kind: str = "batch", **headers: str) -> list[Event]:
    source = Source(id="r1", name="Test", bridge="rest", settings=None)
    hit = Hit(source, RECEIVED, headers=headers, address="203.0.113.9")
    return segment(read_payload(orjson.dumps(body), ""), kind)(hit, Limits()).events


def one(item: dict[str, Any], kind: str = "track", **headers: str) -> dict[str, Any]:
    (event,) = read({"userId": "u1", "event": "e", **item}, kind, **headers)
    return event.message


TIMES = [
    (
        "its own time, corrected",
        {"timestamp": "2026-01-02T03:00:00Z", "sentAt": "2026-01-02T03:01:00Z"},
        "03:03:05.000",
    ),
    (
        "originalTimestamp first",
        {
            "originalTimestamp": "2026-01-02T03:00:00Z",
            "timestamp": "1999-01-01",
            "sentAt": "2026-01-02T03:00:05Z",
        },
        "03:04:00.000",
    ),
    (
        "sent before it happened, by rounding",
        {"timestamp": "2026-01-02T03:00:00.900Z", "sentAt": "2026-01-02T03:00:00Z"},
        "03:04:05.900",
    ),
    ("no client clock", {}, "03:04:05.000"),
    ("no sending time", {"timestamp": "2026-01-02T01:00:00+00:00"}, "01:00:00.000"),
    ("rubbish", {"timestamp": "yesterday", "sentAt": [1]}, "03:04:05.000"),
]


@pytest.mark.parametrize(("_name", "fields", "expected"), TIMES, ids=[row[0] for row in TIMES])
def test_when_it_happened_by_our_clock(_name: str, fields: dict[str, Any], expected: str) -> None:
    assert one(fields)["timestamp"] == f"2026-01-02T{expected}Z"


def test_the_batch_says_when_its_events_were_sent() -> None:
    body = {
        "sentAt": "2026-01-02T03:00:10Z",
        "batch": [{"type": "page", "timestamp": "2026-01-02T03:00:00Z"}],
    }

    (event,) = read(body)

    assert event.message["timestamp"] == "2026-01-02T03:03:55.000Z"


def test_null_and_empty_ids_are_absent() -> None:
    message = one({"anonymousId": None, "userId": ""})

    assert {"anonymousId", "userId"}.isdisjoint(message)


def test_a_page_view_has_its_page_from_its_properties_when_nothing_else_has_it() -> None:
    message = one({"properties": {"url": "https://a.example/", "title": "A", "referrer": "$direct"}}, "page")

    assert message["context"]["page"] == {"url": "https://a.example/", "title": "A"}


def test_a_category_is_kept_as_a_property() -> None:
    assert one({"name": "Home", "category": "Docs"}, "page")["properties"] == {"category": "Docs"}


def test_identify_takes_the_traits_of_its_context() -> None:
    assert one({"context": {"traits": {"plan": "pro"}}}, "identify")["traits"] == {"plan": "pro"}


def test_a_session_of_the_context_is_the_events_session() -> None:
    assert one({"context": {"sessionId": 1700000000}})["sessionId"] == "1700000000"


def test_what_has_no_place_is_kept_under_the_dialects_name() -> None:
    message = one({"integrations": {"All": True}, "_metadata": {"n": 1}, "writeKey": "secret"})

    assert message["context"] == {"segment": {"integrations": {"All": True}, "_metadata": {"n": 1}}}


def test_a_browsers_request_says_what_its_event_does_not() -> None:
    context = one({}, Origin="https://a.example", **{"User-Agent": "Firefox"})["context"]

    assert context == {"userAgent": "Firefox", "ip": "203.0.113.9"}


def test_a_servers_request_says_nothing_of_the_client() -> None:
    assert one({}, **{"User-Agent": "python-requests"})["context"] == {}


@pytest.mark.parametrize(
    ("consent", "expected"),
    [
        (
            {"categoryPreferences": {"ads": False, "analytics": True}},
            {"ads": False, "analytics": True, "categoryPreferences": {"ads": False, "analytics": True}},
        ),
        ({"analytics": True}, {"analytics": True}),
        ({"categoryPreferences": "all"}, {"categoryPreferences": "all"}),
        ("yes", "yes"),
    ],
)
def test_consent_by_segments_categories_is_ours(consent: Any, expected: Any) -> None:
    assert one({"event": "Seen", "context": {"consent": consent}})["context"]["consent"] == expected
