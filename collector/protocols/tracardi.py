"""Tracardi's dialect: one visit's events in ``/track``, or one event named by the path of ``/collect``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from collector.model import Event, Hit, Reason, Refusal
from collector.protocols.batch import Batch, Limits, Protocol, an_object, text, understand_each
from collector.protocols.clock import corrected, to_iso, to_ms
from collector.protocols.decode import check_depth
from collector.protocols.ids import new_id
from collector.protocols.segment import speak_for_browser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.protocols.payload import Payload

_LONGEST_ID = 100
_PAGE = ("url", "path", "title")
_KEPT = ("context", "options", "device", "properties", "request")
_KEPT_OF_EVENT = ("options", "tags")


@dataclass(frozen=True, slots=True)
class Visit:
    """Who visits: Tracardi's browser script needs both ids in the answer, and sends them back."""

    profile: str
    session: str | None

    @classmethod
    def of(cls, value: Any) -> Visit:
        """Return the visit of a body, with a new profile when it has none. Raises Refusal wrong_type."""
        body = value if isinstance(value, dict) else {}
        profile = text(an_object(body, "profile"), "id", _LONGEST_ID) or str(uuid4())
        return cls(profile, text(an_object(body, "session"), "id", _LONGEST_ID))


def tracardi(payload: Payload, visit: Visit) -> Protocol:
    """Return the protocol that reads a body of ``/track``."""

    def understand(hit: Hit, limits: Limits) -> Batch:
        envelope = payload.value
        if not isinstance(envelope, dict):
            raise Refusal(Reason.NOT_AN_OBJECT, "The body must be an object with events.")
        items = envelope.get("events")
        if not isinstance(items, list):
            raise Refusal(Reason.NOT_A_LIST, "events must be a list.")
        if len(items) > limits.events:
            raise Refusal(Reason.TOO_MANY_EVENTS, f"The limit is {limits.events}.")
        batch = Batch("tracardi", flags=payload.flags)
        return understand_each(batch, items, _Reader(envelope, visit, hit, limits).event)

    return understand


def collected(payload: Payload, query: dict[str, Any], kind: str, session: str | None) -> dict[str, Any]:
    """Return the ``/track`` body of a request to ``/collect``, whose body or query are the properties."""
    value = query if payload.kind == "empty" else payload.value
    name = "body" if payload.kind == "json" else payload.kind
    properties = value if isinstance(value, dict) else {name: value}
    return {"session": {"id": session}, "events": [{"type": kind, "properties": properties}]}


class _Reader:
    """What the events of one visit share, and the making of each from its item."""

    def __init__(self, envelope: Mapping[str, Any], visit: Visit, hit: Hit, limits: Limits) -> None:
        self._visit = visit
        self._hit = hit
        self._limits = limits
        self._sent = _milliseconds(hit.headers.get("X-Timestamp", ""))
        self._context = _context(envelope)
        check_depth(self._context, limits.depth)
        speak_for_browser(self._context, hit)

    def event(self, index: int, item: Any) -> Event:
        if not isinstance(item, dict):
            raise Refusal(Reason.NOT_AN_OBJECT, "An event must be an object.")
        check_depth(item, self._limits.depth)
        name = text(item, "type")
        if name is None:
            raise Refusal(Reason.MISSING_FIELD, "An event needs type.")
        message_id = text(item, "id", _LONGEST_ID) or new_id(self._hit, index)
        kind = "page" if name == "page-view" else "track"
        message: dict[str, Any] = {"messageId": message_id, "type": kind}
        message["name" if kind == "page" else "event"] = name
        message["anonymousId"] = self._visit.profile
        if self._visit.session:
            message["sessionId"] = self._visit.session
        if properties := an_object(item, "properties"):
            message["properties"] = properties
        message["context"] = self._context_of(item)
        self._add_times(message, item)
        return Event(index, message_id, kind, self._visit.profile, message)

    def _context_of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        own = an_object(item, "context")
        kept = {key: item[key] for key in _KEPT_OF_EVENT if item.get(key)}
        if rest := {key: value for key, value in own.items() if key != "page"}:
            kept["event"] = rest
        context = dict(self._context)
        if page := _page(an_object(own, "page")):
            context["page"] = page
        if kept:
            context["tracardi"] = {**context.get("tracardi", {}), **kept}
        return context

    def _add_times(self, message: dict[str, Any], item: Mapping[str, Any]) -> None:
        received, times = self._hit.received_at, an_object(item, "time")
        original = to_ms(times.get("create")) or to_ms(times.get("insert"))
        if original is not None:
            message["originalTimestamp"] = to_iso(original)
        if self._sent is not None:
            message["sentAt"] = to_iso(self._sent)
        message["timestamp"] = to_iso(corrected(received, self._sent, original))
        message["receivedAt"] = to_iso(received)


def _context(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Return the context of all events: what has a place in it, and the whole as Tracardi's."""
    said = an_object(envelope, "context")
    browser = _inner(_inner(said, "browser"), "browser")
    known = {
        "userAgent": browser.get("userAgent"),
        "locale": browser.get("language"),
        "timezone": _inner(said, "time").get("tz"),
        "screen": said.get("screen"),
    }
    context = {key: value for key, value in known.items() if value}
    if kept := {key: envelope[key] for key in _KEPT if envelope.get(key)}:
        context["tracardi"] = kept
    return context


def _page(page: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: page[key] for key in _PAGE if page.get(key)}
    referer = _inner(page, "referer")
    if isinstance(referer.get("host"), str):
        query = referer.get("query")
        found["referrer"] = referer["host"] + (query if isinstance(query, str) else "")
    return found


def _inner(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}


def _milliseconds(header: str) -> int | None:
    digits = header.strip()
    return to_ms(int(digits)) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None  # noqa: PLR2004
