"""The Segment HTTP API, as Segment's, RudderStack's and Jitsu's clients really speak it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.model import Event, Hit, Reason, Refusal
from collector.protocols.batch import (
    TYPES,
    Batch,
    Limits,
    Protocol,
    add_names,
    an_object,
    text,
    understand_each,
)
from collector.protocols.clock import corrected, to_iso, to_ms
from collector.protocols.decode import check_depth, parse_forgiving
from collector.protocols.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collector.protocols.payload import Payload

_LONGEST_ID = 255
_IDS = ("anonymousId", "userId")
_PAGE = ("url", "path", "search", "title", "referrer")
_TIMES = ("originalTimestamp", "timestamp")
# What has its place in the event; the rest of an item is kept under context.segment.
_PLACED = {
    *("type", "messageId", "event", "name", "groupId", "previousId", "sessionId", "category", "properties"),
    *("traits", "context", "sentAt", "receivedAt", "writeKey", *_IDS, *_TIMES),
}


def segment(payload: Payload, kind: str) -> Protocol:
    """Return the protocol that reads a payload of ``/v1/{kind}``: one event, or a batch."""

    def understand(hit: Hit, limits: Limits) -> Batch:
        envelope, items = _items(payload.value, kind)
        if len(items) > limits.events:
            raise Refusal(Reason.TOO_MANY_EVENTS, f"The limit is {limits.events}.")
        batch = Batch("segment", flags=payload.flags)
        return understand_each(batch, items, _Common(envelope, kind, hit, limits).event)

    return understand


def segment_lines(lines: Sequence[bytes]) -> Protocol:
    """Return the protocol that reads events of which each is a line of JSON."""

    def understand(hit: Hit, limits: Limits) -> Batch:
        batch = Batch("segment")
        common = _Common({}, "", hit, limits, stored=True)

        def one(index: int, line: str) -> Event:
            value, flags = parse_forgiving(line.encode())
            batch.flags = batch.flags or flags
            return common.event(index, value)

        return understand_each(batch, [line.decode(errors="replace") for line in lines], one)

    return understand


def _items(value: Any, kind: str) -> tuple[dict[str, Any], list[Any]]:
    if isinstance(value, list):
        return {}, value
    if not isinstance(value, dict):
        raise Refusal(Reason.NOT_AN_OBJECT, "The body must be an event, or an object with a batch.")
    if "batch" not in value and kind != "batch":
        return {}, [value]
    items = value.get("batch")
    if not isinstance(items, list):
        raise Refusal(Reason.NOT_A_LIST, "batch must be a list of events.")
    return value, items


class _Common:
    """What the events of one body share, and the making of each from its item."""

    def __init__(
        self, envelope: Mapping[str, Any], kind: str, hit: Hit, limits: Limits, *, stored: bool = False
    ) -> None:
        self._hit = hit
        self._stored = stored
        self._kind = kind
        self._limits = limits
        self._context = an_object(envelope, "context")
        check_depth(self._context, limits.depth)
        self._integrations = envelope.get("integrations")
        self._latest: dict[str, Any] = {}
        self._sent = to_ms(envelope.get("sentAt"))
        self._time = to_ms(envelope.get("timestamp"))

    def event(self, index: int, item: Any) -> Event:
        if not isinstance(item, dict):
            raise Refusal(Reason.NOT_AN_OBJECT, "An event must be an object.")
        check_depth(item, self._limits.depth)
        kind = item.get("type") or self._kind
        if kind not in TYPES:
            raise Refusal(Reason.UNKNOWN_TYPE, f"Known types: {', '.join(TYPES)}.")
        message_id = text(item, "messageId", _LONGEST_ID) or new_id(self._hit, index)
        message: dict[str, Any] = {"messageId": message_id, "type": kind}
        add_names(message, kind, item)
        message |= {key: value for key in _IDS if (value := text(item, key))}
        context = self._context_of(item)
        if session := text(item, "sessionId") or text(context, "sessionId"):
            message["sessionId"] = session
        message |= _bodies(item, kind, context)
        _place_page(kind, message.get("properties", {}), context)
        # Events with equal contexts share one object: it is enriched once for all of them.
        message["context"] = self._latest = self._latest if context == self._latest else context
        self._add_times(message, item)
        visitor = message.get("anonymousId") or message.get("userId") or ""
        return Event(index, message_id, kind, visitor, message)

    def _context_of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        context = {**self._context, **an_object(item, "context")}
        rest = {key: value for key, value in item.items() if key not in _PLACED and value is not None}
        if self._integrations:
            rest.setdefault("integrations", self._integrations)
        if rest:
            context["segment"] = rest
        context |= _consent(context.get("consent"))
        speak_for_browser(context, self._hit)
        return context

    def _add_times(self, message: dict[str, Any], item: Mapping[str, Any]) -> None:
        sent = to_ms(item.get("sentAt"))
        sent = self._sent if sent is None else sent
        times = (to_ms(item.get(key)) for key in _TIMES)
        original = next((time for time in (*times, self._time, sent) if time is not None), None)
        if original is not None:
            message["originalTimestamp"] = to_iso(original)
        if sent is not None:
            message["sentAt"] = to_iso(sent)
        # What was stored somewhere says when it was received there; its clock was wrong by what it was then.
        received = to_ms(item.get("receivedAt")) if self._stored else None
        now = self._hit.received_at
        received = now if received is None else min(received, now)
        message["timestamp"] = to_iso(corrected(received, sent, original))
        message["receivedAt"] = to_iso(self._hit.received_at)


def _consent(told: Any) -> dict[str, Any]:
    """Return categories that stand where Segment's consent managers put them beside it, where ours stand."""
    answers = told.get("categoryPreferences") if isinstance(told, dict) else None
    return {"consent": {**answers, **told}} if isinstance(answers, dict) else {}


def speak_for_browser(context: dict[str, Any], hit: Hit) -> None:
    """Let the request say what its event does not, when a browser sent it: only browsers send Origin."""
    if "Origin" in hit.headers:
        context.setdefault("userAgent", hit.headers.get("User-Agent", ""))
        context.setdefault("ip", hit.address)


def _bodies(item: Mapping[str, Any], kind: str, context: dict[str, Any]) -> dict[str, Any]:
    properties = an_object(item, "properties")
    if item.get("category") and "category" not in properties:
        properties = {**properties, "category": item["category"]}
    traits = an_object(item, "traits")
    if kind == "identify" and not traits:
        traits = an_object(context, "traits")  # the only place where RudderStack's browser client has them
    return {key: held for key, held in (("properties", properties), ("traits", traits)) if held}


def _place_page(kind: str, properties: Mapping[str, Any], context: dict[str, Any]) -> None:
    """Give a page view its context.page when only its properties have it, and no made-up referrer."""
    page = context.get("page")
    if kind == "page" and not page:
        page = {key: properties[key] for key in _PAGE if properties.get(key)}
    if isinstance(page, dict) and page:
        # $direct is RudderStack's word for no referrer.
        context["page"] = {key: value for key, value in page.items() if value != "$direct"}
