"""The limits of other systems: what they cut, drop and refuse is cut, dropped and refused here too."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from collector.model import Event, Refusal
from collector.protocols import Limits
from collector.protocols.dialect import Call
from collector.protocols.dialects import DIALECTS
from tests.conftest import hit

MANY = {f"p{number}": number for number in range(60)}
LONG = "x" * 1100
VIEW = {"n": "Buy", "u": "https://shop.example/", "d": "shop.example"}
TO = {"e": "se", "se_ac": "a", "aid": "shop"}


def understood(name: str, path: str, body: Any, query: str = "") -> Event | Refusal:
    """Return the event that a dialect makes of a request of one, or why there is none."""
    data = json.dumps(body).encode() if body is not None else b""
    try:
        sent = DIALECTS[name].read(Call(data, query, {}, "POST" if data else "GET", path))
        batch = sent.protocol(hit(data, query=query), Limits(events=5000))
    except Refusal as refusal:
        return refusal
    return batch.events[0] if batch.events else batch.refused[0][1]


def umami(**payload: Any) -> Any:
    return {"type": "event", "payload": {"website": "w", "url": "/", **payload}}


def ga4(*events: Any, **fields: Any) -> Any:
    return {"client_id": "c", **fields, "events": [*events]}


def amplitude(*events: Any, **fields: Any) -> Any:
    return {"api_key": "k", "events": [*events], **fields}


def mixpanel(event: str = "a", **properties: Any) -> Any:
    return [{"event": event, "properties": {"token": "t", "distinct_id": "u", **properties}}]


PAGES = "/g/collect"
FITS = [
    ("plausible", "/api/event", {**VIEW, "p": MANY}, "property_dropped", 30),
    ("umami", "/api/send", umami(name="y" * 60), "name_cut", None),
    ("umami", "/api/send", umami(name="a", data={"t": LONG}), "value_cut", 1),
    ("umami", "/api/send", umami(name="a", data=MANY), "property_dropped", 50),
    ("umami", "/api/send", umami(name="a", id="u" * 60), "id_cut", None),
    ("posthog", "/e/", {"event": "a", "distinct_id": "d" * 201}, "id_cut", None),
    ("matomo", "/matomo.php", {"rec": 1, "idsite": 1, "e_a": "a", "e_n": LONG}, "value_cut", 1),
    ("matomo", "/matomo.php", {"rec": 1, "idsite": 1, "uid": "u" * 201}, "id_cut", None),
    ("snowplow", "/com.x/tp2", {"data": [{**TO, "uid": "u" * 256}]}, "id_cut", None),
    ("ga4", "/mp/collect", ga4({"name": "a", "params": MANY}), "property_dropped", 25),
    ("ga4", "/mp/collect", ga4({"name": "a", "params": {"t": LONG, "y" * 41: 1}}), "value_cut", 1),
    ("ga4", "/mp/collect", ga4({"name": "a"}, user_properties={"t": {"value": LONG}}), "value_cut", None),
    (
        "amplitude",
        "/2/httpapi",
        amplitude({"event_type": "a", "device_id": "d1234", "user_id": "u"}),
        "id_dropped",
        None,
    ),
    (
        "amplitude",
        "/batch",
        amplitude({"event_type": "a", "device_id": "d1234", "event_properties": {"t": LONG}}),
        "value_cut",
        1,
    ),
    ("mixpanel", "/track", mixpanel(**{f"p{number}": 1 for number in range(300)}), "property_dropped", 255),
    ("mixpanel", "/track", mixpanel(t=LONG), "value_cut", 1),
]


@pytest.mark.parametrize(("name", "path", "body", "flag", "left"), FITS)
def test_what_is_too_much_there_is_made_to_fit_and_says_so(
    name: str, path: str, body: Any, flag: str, left: int | None
) -> None:
    event = understood(name, path, body)

    assert isinstance(event, Event)
    assert flag in event.flags
    assert LONG not in str(event.message)
    assert left is None or len(event.message["properties"]) == left


REFUSED = [
    ("plausible", "/api/event", {**VIEW, "n": "y" * 121}, "field_too_long"),
    ("plausible", "/api/event", {**VIEW, "u": "https://shop.example/" + "y" * 2000}, "field_too_long"),
    ("plausible", "/api/event", {**VIEW, "p": {"t": "y" * 2001}}, "field_too_long"),
    ("posthog", "/e/", {"event": "a", "t": "y" * 20_000_000}, "too_large"),
    (
        "snowplow",
        "/com.x/tp2",
        {"data": [{**TO, "url": "https://x.example/" + "y" * 4096}]},
        "field_too_long",
    ),
    ("ga4", "/mp/collect", ga4(*[{"name": "a"}] * 26), "too_many_events"),
    ("ga4", "/mp/collect", ga4({"name": "y" * 41}), "field_too_long"),
    ("ga4", "/mp/collect", ga4({"name": "a", "params": {"t": "y" * 130_000}}), "too_large"),
    ("amplitude", "/2/httpapi", amplitude({"event_type": "y" * 1_000_000}), "too_large"),
    ("amplitude", "/batch", amplitude({"event_type": "a", "device_id": "d"}), "missing_field"),
    ("amplitude", "/batch", amplitude(*[{"event_type": "a"}] * 2001), "too_many_events"),
    ("mixpanel", "/import", mixpanel("y" * 256), "field_too_long"),
    ("mixpanel", "/import", mixpanel() * 2001, "too_many_events"),
]


@pytest.mark.parametrize(("name", "path", "body", "reason"), REFUSED)
def test_what_is_refused_there_is_refused_with_a_reason(name: str, path: str, body: Any, reason: str) -> None:
    refusal = understood(name, path, body)

    assert isinstance(refusal, Refusal)
    assert refusal.reason.code == reason


def test_a_pages_hit_of_google_has_the_same_limits() -> None:
    event = understood("ga4", PAGES, None, urlencode({"tid": "G", "cid": "c", "en": "a", "ep.t": LONG}))
    long = understood("ga4", PAGES, None, urlencode({"tid": "G", "cid": "c", "en": "y" * 41}))

    assert isinstance(event, Event)
    assert event.flags == ("value_cut",)
    assert isinstance(long, Refusal)


def test_an_event_that_fits_has_no_flag() -> None:
    event = understood("mixpanel", "/track", mixpanel(plan="pro"))

    assert isinstance(event, Event)
    assert event.flags == ()
