"""The formats of archives: a unit of each, and the event that comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from collector.archives import FORMATS
from collector.archives.access_log import is_page
from collector.archives.item import moment
from collector.archives.snowplow import COLUMNS
from collector.model import Event, Hit, Refusal
from collector.protocols import Limits
from tests.conftest import web_source

if TYPE_CHECKING:
    from collector.archives.item import Item

AT = 1760097336000
ISO = "2025-10-10T11:55:36.000Z"
NOW = 1767323045000
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"
REQUEST = '203.0.113.7 - ada [10/Oct/2025:13:55:36 +0200] "GET /a?b=c HTTP/1.1"'
LOG = f'{REQUEST} 200 9 "https://x.example/" "{FIREFOX}"'


def read(kind: str, raw: Any, site: str = "https://shop.example") -> tuple[Hit, list[Event]]:
    unit = raw if kind == "goatcounter" else raw if isinstance(raw, bytes) else orjson.dumps(raw)
    item: Item | None = FORMATS[kind].read(unit, site)
    assert item
    hit = item.hit(web_source(), NOW, "id1")
    batch = item.protocol(hit, Limits())
    assert [refusal.message for _, refusal in batch.refused] == []
    return hit, batch.events


def told(kind: str, raw: Any) -> dict[str, Any]:
    _, events = read(kind, raw)
    return events[0].message


STORED = {
    "messageId": "m1",
    "type": "page",
    "anonymousId": "v1",
    "context": {"page": {"url": "https://shop.example/"}, "userAgent": FIREFOX, "ip": "203.0.113.0"},
    "originalTimestamp": "2025-10-10T11:55:30.000Z",
    "sentAt": "2025-10-10T11:55:31.000Z",
    "timestamp": "2025-10-10T11:55:35.000Z",
    "receivedAt": ISO,
    "source": {"id": "other"},
    "collector": {"version": "0.0.1"},
}


@pytest.mark.parametrize("kind", ["native", "segment"])
def test_an_event_that_was_stored_keeps_its_id_and_all_its_times(kind: str) -> None:
    hit, (event,) = read(kind, STORED)

    kept = ("messageId", "anonymousId", "originalTimestamp", "sentAt", "timestamp")
    assert {key: event.message[key] for key in kept} == {key: STORED[key] for key in kept}
    assert (hit.received_at, hit.address, hit.headers["User-Agent"]) == (AT, "203.0.113.0", FIREFOX)


def test_what_has_no_id_gets_the_same_one_from_its_content_and_place() -> None:
    ids = [
        read(kind, raw)[1][0].id
        for kind, raw in (
            ("native", {"type": "page"}),
            ("segment", {"type": "page"}),
            ("umami", {"type": "event", "payload": {"website": "w", "url": "/"}}),
            ("log", LOG.encode()),
        )
    ]

    assert ids == ["id1"] * 4


def test_bodies_with_several_events_are_read_whole() -> None:
    _, events = read("segment", {"batch": [{"type": "page"}, {"type": "page"}]})

    assert [event.id for event in events] == ["id1", "id1.1"]


def test_an_export_of_posthog_has_its_properties_as_text() -> None:
    row = {
        "uuid": "u1",
        "event": "$pageview",
        "distinct_id": "d1",
        "timestamp": "2025-10-10 11:55:36.000000",
        "properties": orjson.dumps({"$current_url": "https://shop.example/"}).decode(),
    }

    message = told("posthog", row)

    assert (message["messageId"], message["anonymousId"], message["timestamp"]) == ("u1", "d1", ISO)
    assert message["context"]["page"] == {"url": "https://shop.example/"}


def test_a_payload_of_snowplow_needs_no_envelope() -> None:
    message = told(
        "snowplow", {"e": "pv", "eid": "e1", "url": "https://x.example/", "dtm": str(AT), "stm": str(AT)}
    )

    assert (message["type"], message["messageId"], message["timestamp"]) == ("page", "e1", ISO)


def test_a_line_of_matomo_may_be_a_query() -> None:
    message = told("matomo", b"?idsite=1&rec=1&url=https%3A%2F%2Fx.example%2F&cdt=1760097336")

    assert (message["type"], message["timestamp"]) == ("page", ISO)


SINGLE = [
    ("plausible", {"n": "pageview", "u": "https://x.example/", "d": "x.example"}, "page"),
    ("umami", {"type": "event", "payload": {"website": "w", "url": "/", "timestamp": AT // 1000}}, "page"),
    ("ga4", {"client_id": "c1", "timestamp_micros": AT * 1000, "events": [{"name": "page_view"}]}, "page"),
    ("ga4", b"v=2&tid=G-1&cid=c1&en=page_view&dl=https%3A%2F%2Fx.example%2F", "page"),
    (
        "amplitude",
        {"event_type": "Play", "user_id": "u", "uuid": "a1", "event_time": "2025-10-10 11:55:36.000000"},
        "track",
    ),
    (
        "mixpanel",
        {"event": "Play", "properties": {"time": AT // 1000, "distinct_id": "u1", "$insert_id": "i1"}},
        "track",
    ),
]


@pytest.mark.parametrize(("kind", "raw", "expected"), SINGLE)
def test_single_events_of_every_dialect_are_read(kind: str, raw: Any, expected: str) -> None:
    message = told(kind, raw)

    assert message["type"] == expected
    if kind != "plausible" and not isinstance(raw, bytes):
        assert message["timestamp"] == ISO
    if kind == "amplitude":
        assert message["messageId"] == "a1"


def enriched(**values: str) -> bytes:
    return "\t".join(values.get(name, "") for name in COLUMNS).encode()


def test_an_enriched_event_of_snowplow_is_read_as_it_was_sent() -> None:
    inner = {"schema": "iglu:com.acme/order/jsonschema/1-0-0", "data": {"total": 5}}
    outer = {"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0", "data": inner}
    hit, (event,) = read(
        "snowplow-enriched",
        enriched(
            event="unstruct",
            event_id="e1",
            collector_tstamp="2025-10-10 11:55:36.000",
            dvce_created_tstamp="2025-10-10 11:55:30.000",
            dvce_sent_tstamp="2025-10-10 11:55:31.000",
            domain_userid="d1",
            page_url="https://shop.example/",
            geo_country="CH",
            useragent=FIREFOX,
            user_ipaddress="203.0.113.7",
            unstruct_event=orjson.dumps(outer).decode(),
        ),
    )

    message = event.message
    assert (message["event"], message["properties"], message["messageId"]) == ("order", {"total": 5}, "e1")
    assert (message["timestamp"], hit.received_at) == ("2025-10-10T11:55:35.000Z", AT)
    assert message["context"]["snowplow"]["geo_country"] == "CH"
    assert (hit.address, hit.headers["User-Agent"]) == ("203.0.113.7", FIREFOX)


def test_a_visit_of_matomo_becomes_its_actions() -> None:
    actions = [
        {"type": "action", "url": "https://shop.example/", "pageTitle": "Home", "timestamp": 1760097336},
        {
            "type": "event",
            "url": "https://shop.example/",
            "eventCategory": "Video",
            "eventAction": "Play",
            "timestamp": 1760097337,
        },
        {"type": "search", "siteSearchKeyword": "shoes", "timestamp": 1760097338},
        {"type": "outlink", "url": "https://x.example/", "timestamp": 1760097339},
        {"type": "goal", "goalId": 3, "revenue": 5, "timestamp": 1760097340},
        {"type": "ecommerceOrder", "orderId": "o1", "revenue": 19.9, "timestamp": 1760097341},
    ]
    visit = {
        "idSite": "1",
        "idVisit": "77",
        "visitorId": "0123456789abcdef",
        "visitIp": "203.0.113.7",
        "referrerUrl": "https://x.example/",
        "browserName": "Firefox",
        "lastActionTimestamp": 1760097341,
        "actionDetails": actions,
    }
    hit, events = read("matomo-visits", visit)

    names = [event.message.get("event") for event in events]
    assert names == [None, "Play", "search", "outlink", "goal", "order"]
    assert [event.id for event in events] == ["id1", *(f"id1.{number}" for number in range(1, 6))]
    assert {event.message["anonymousId"] for event in events} == {"0123456789abcdef"}
    first = events[0].message
    assert first["timestamp"] == ISO
    assert first["context"]["page"] == {
        "url": "https://shop.example/",
        "title": "Home",
        "referrer": "https://x.example/",
    }
    assert first["context"]["matomo"]["visit"]["browserName"] == "Firefox"
    assert events[5].message["properties"] == {"orderId": "o1", "revenue": 19.9, "goalId": "0"}
    assert hit.address == "203.0.113.7"


ROW = {
    "2Path": "/a",
    "Title": "A",
    "Event": "false",
    "Session": "s1",
    "Bot": "0",
    "Date": ISO,
    "Browser": "Firefox 146",
}


def test_a_row_of_goatcounter_is_a_page_or_an_event() -> None:
    page = told("goatcounter", {**ROW, "Referrer": "x.example/y", "Referrer scheme": "h"})
    event = told("goatcounter", {**ROW, "2Path": "signup", "Event": "true", "Bot": "5"})

    assert page["context"]["page"] == {
        "title": "A",
        "referrer": "https://x.example/y",
        "url": "https://shop.example/a",
    }
    assert (page["timestamp"], page["sessionId"]) == (ISO, "s1")
    assert page["context"]["goatcounter"] == {"Bot": "0", "Browser": "Firefox 146", "Referrer scheme": "h"}
    assert (event["type"], event["event"], event["context"]["automation"]) == ("track", "signup", "archive")


CADDY = {
    "ts": AT / 1000,
    "status": 200,
    "request": {
        "method": "GET",
        "host": "shop.example",
        "uri": "/a?b=c",
        "client_ip": "203.0.113.7",
        "headers": {"User-Agent": [FIREFOX], "Referer": ["https://x.example/"], "Sec-Gpc": ["1"]},
    },
}


@pytest.mark.parametrize(("kind", "raw"), [("log", LOG.encode()), ("caddy", orjson.dumps(CADDY))])
def test_a_page_that_was_served_is_a_view(kind: str, raw: bytes) -> None:
    hit, (event,) = read(kind, raw)

    context = {
        "page": {"url": "https://shop.example/a?b=c", "referrer": "https://x.example/"},
        "ip": "203.0.113.7",
        "userAgent": FIREFOX,
    }
    assert (event.type, event.message["context"]) == ("page", context)
    assert (event.message["timestamp"], hit.received_at) == (ISO, AT)
    assert (hit.address, hit.headers["User-Agent"]) == ("203.0.113.7", FIREFOX)
    assert hit.headers.get("Sec-GPC") == ("1" if kind == "caddy" else None)


@pytest.mark.parametrize(
    "line",
    [
        LOG.replace("/a?b=c", "/style.css"),
        LOG.replace("GET", "POST"),
        LOG.replace(" 200 ", " 404 "),
        LOG.replace(" 200 ", " 301 "),
        LOG.replace("GET /a?b=c HTTP/1.1", r"\x16\x03\x01"),
        LOG.replace("/a?b=c", "/.well-known/change-password"),
    ],
)
def test_what_nobody_looked_at_is_left_out(line: str) -> None:
    assert FORMATS["log"].read(line.encode(), "") is None


def test_a_log_of_several_hosts_names_them() -> None:
    _, (event,) = read("log", f"www.shop.example:443 {LOG}".encode(), site="")

    assert event.message["context"]["page"]["url"] == "https://www.shop.example/a?b=c"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", True),
        ("/a.b/c", True),
        ("/a.php?x=y.css", True),
        ("/a.JS", False),
        ("*", False),
        ("/robots.txt", False),
    ],
)
def test_pages_are_known_by_their_endings(path: str, *, expected: bool) -> None:
    assert is_page(path) == expected


BAD = [
    ("native", b"{"),
    ("segment", b"\xff"),
    ("posthog", b'{"event": "x", "properties": "{"}'),
    ("snowplow-enriched", b"a\tb"),
    ("matomo-visits", b'{"idVisit": 1}'),
    ("goatcounter", {"Title": "no path"}),
    ("log", b"rubbish"),
    ("log", LOG.replace("/Oct/", "/Foo/").encode()),
    ("caddy", b'{"status": 200}'),
    ("caddy", b"[]"),
]


@pytest.mark.parametrize(("kind", "raw"), BAD)
def test_what_is_not_of_the_format_is_refused(kind: str, raw: Any) -> None:
    with pytest.raises(Refusal):
        FORMATS[kind].read(raw, "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (AT, AT),
        (AT // 1000, AT),
        (AT * 1000, AT),
        (str(AT), AT),
        (ISO, AT),
        ("2025-10-10 11:55:36", AT),
        (True, None),
        ("x", None),
        (None, None),
    ],
)
def test_times_are_understood_by_their_size(value: Any, expected: int | None) -> None:
    assert moment(value) == expected
