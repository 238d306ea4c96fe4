"""Google Analytics 4's hits of pages, as gtag writes them: one in a query, or more as lines of a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.model import Reason, Refusal
from collector.protocols.batch import Batch, text
from collector.protocols.dialect import (
    IDS,
    MOST_ITEMS,
    Call,
    Sent,
    finished,
    first_found,
    in_turn,
    parameters,
    placed,
    with_numbers,
)
from collector.protocols.ga4_rules import PAGE_LIMITS
from collector.protocols.segment import speak_for_browser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.model import Event, Hit
    from collector.protocols.batch import Limits

NAME = "ga4"
COLLECT_PATH = "/g/collect"
KINDS = {"page_view": "page", "screen_view": "screen"}
PLACES = {
    "cid": "anonymousId",
    "uid": "userId",
    "sid": "sessionId",
    "en": "event",
    "dl": "context.page.url",
    "dt": "context.page.title",
    "dr": "context.page.referrer",
    "ul": "context.locale",
    "_uip": "context.ip",
    "_et": "properties.engagement_time_msec",
    **{name: f"context.{NAME}.{IDS}.{name}" for name in ("ecid", "auid", "_fid")},
}
# What a page names itself: its texts and its numbers, of events and of people.
PROPERTIES, TRAITS = ("ep.", "epn."), ("up.", "upn.")
_FIRST_LINES = 25  # one of them names the measurement id, if the query does not
_NUMBERS = ("epn.", "upn.")


def gtag(call: Call) -> Sent:
    """Return what a page sent: a query and, where the body has lines, one event for each of them."""
    common = parameters(call.query)
    written = call.body.decode(errors="replace").split("\n", MOST_ITEMS)
    if len(written) > MOST_ITEMS:
        raise Refusal(Reason.TOO_MANY_EVENTS, f"The limit is {MOST_ITEMS}.")
    lines = [line for each in written if (line := each.strip())] or [""]
    first = first_found([_item(common, line) for line in lines[:_FIRST_LINES]], _sites)
    site = first[0] if first else ""

    def understand(hit: Hit, limits: Limits) -> Batch:
        if len(lines) > limits.events:  # before each line is given all that the query says
            raise Refusal(Reason.TOO_MANY_EVENTS, f"The limit is {limits.events}.")
        items = [_item(common, line) for line in lines]
        return in_turn(NAME, items, one, (), PAGE_LIMITS)(hit, limits)

    def one(index: int, item: dict[str, Any], hit: Hit) -> Event:
        if item.get("tid", "") != site:
            raise Refusal(Reason.UNKNOWN_SOURCE, "A request is for one measurement id.")
        return _event(index, item, hit)

    return Sent((site,) if site else (), understand)


def _item(common: dict[str, Any], line: str) -> Any:
    """Return the hit of a line; a line that is none as it is."""
    try:
        return {**common, **parameters(line)}
    except Refusal:
        return line


def _sites(item: dict[str, Any]) -> list[str]:
    return [item["tid"]] if item.get("tid") else []


def _event(index: int, item: dict[str, Any], hit: Hit) -> Event:
    name = text(item, "en")
    if name is None:
        raise Refusal(Reason.MISSING_FIELD, "A hit needs en.")
    kind = KINDS.get(name, "track")
    read, beside = with_numbers(item, [key for key in item if key == "_et" or key.startswith(_NUMBERS)])
    named, others = _named(read)
    message = placed(NAME, others, PLACES)
    if kind != "track":
        message.pop("event", None)
    properties, traits = _inside(named, PROPERTIES), _inside(named, TRAITS)
    if properties:
        message["properties"] = {**message.get("properties", {}), **properties}
    if traits:
        message["context"]["traits"] = traits
    if beside:
        message["context"][NAME] = {**message["context"].get(NAME, {}), **beside}
    speak_for_browser(message["context"], hit)
    return finished(index, kind, message, hit)


def _named(item: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set apart what the page names itself and has a place of its own; the rest is kept as it came."""
    named: dict[str, Any] = {}
    taken = {("e", "engagement_time_msec")} if "_et" in item else set()
    for key, value in item.items():
        prefix, dot, name = key.partition(".")
        place, fits = (prefix[:1], name), isinstance(value, str) != (prefix + dot in _NUMBERS)
        if prefix + dot in PROPERTIES + TRAITS and name and fits and place not in taken:
            named[key] = value
            taken.add(place)
    return named, {key: value for key, value in item.items() if key not in named}


def _inside(named: Mapping[str, Any], prefixes: tuple[str, ...]) -> dict[str, Any]:
    return {key.partition(".")[2]: value for key, value in named.items() if key.startswith(prefixes)}
