"""Our own dialect: a batch of Segment-shaped messages under one envelope, or one event in a query string."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

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
from collector.protocols.decode import check_depth, is_surely_shallow, is_within_depth, parse
from collector.protocols.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping

_IDS = ("anonymousId", "userId", "sessionId")
_MOST_FIELDS = 100
_PIXEL_CONTEXT = {"url": "page", "title": "page", "referrer": "page"}


def beacon(hit: Hit, limits: Limits) -> Batch:
    """Understand a beacon: ``{"batch": [...], "sentAt": ..., "anonymousId": ..., "context": {...}}``."""
    envelope = parse(hit.body)
    if not isinstance(envelope, dict):
        raise Refusal(Reason.NOT_AN_OBJECT, "The body must be an object with a batch.")
    items = envelope.get("batch")
    if not isinstance(items, list):
        raise Refusal(Reason.NOT_A_LIST, "batch must be a list of events.")
    if len(items) > limits.events:
        raise Refusal(Reason.TOO_MANY_EVENTS, f"The limit is {limits.events}.")
    common = _Common(envelope, hit, limits, shallow=is_surely_shallow(hit.body, limits.depth))
    return understand_each(Batch("native"), items, common.event)


def single(hit: Hit, limits: Limits) -> Batch:
    """Understand a body that is one event."""
    item = parse(hit.body)
    return understand_each(Batch("native"), [item], _Common({"batch": [item]}, hit, limits).event)


def archived(item: Any, name: str = "native") -> Protocol:
    """Return the protocol of an event that was stored before: what it says of its times holds."""

    def understand(hit: Hit, limits: Limits) -> Batch:
        sent = item.get("sentAt") if isinstance(item, dict) else None
        common = _Common({"batch": [item], "sentAt": sent}, hit, limits)
        return understand_each(Batch(name), [item], common.event)

    return understand


def pixel(hit: Hit, limits: Limits) -> Batch:
    """Understand a pixel: one event from the query, a page view unless ``type`` or ``event`` is given."""
    query = _query(hit)
    item: dict[str, Any] = {"properties": {}, "context": {"page": {}}}
    for key, value in query.items():
        if key.startswith("p."):
            item["properties"][key[2:]] = value
        elif key in _PIXEL_CONTEXT:
            item["context"]["page"][key] = value
        else:
            item[key] = value
    if "url" not in query and "Referer" in hit.headers:
        item["context"]["page"]["url"] = hit.headers["Referer"]
    item.setdefault("type", "track" if "event" in item else "page")
    return understand_each(Batch("pixel"), [item], _Common({}, hit, limits).event)


def _query(hit: Hit) -> dict[str, str]:
    try:
        return dict(parse_qsl(hit.query, max_num_fields=_MOST_FIELDS, errors="replace"))
    except ValueError:
        raise Refusal(Reason.BAD_REQUEST, f"A pixel's query may have {_MOST_FIELDS} fields.") from None


class _Common:
    """What the events of one envelope share, and the making of each from its item."""

    def __init__(
        self, envelope: Mapping[str, Any], hit: Hit, limits: Limits, *, shallow: bool = False
    ) -> None:
        self._hit = hit
        self._limits = limits
        self._shared = {key: value for key in _IDS if (value := text(envelope, key))}
        self._context = an_object(envelope, "context")
        self._shallow = shallow or is_within_depth(envelope, limits.depth)
        if not self._shallow:
            check_depth(self._context, limits.depth)
        self._sent_at = to_ms(envelope.get("sentAt"))
        if self._sent_at is not None:
            self._shared["sentAt"] = to_iso(self._sent_at)

    def event(self, index: int, item: Any) -> Event:
        if not isinstance(item, dict):
            raise Refusal(Reason.NOT_AN_OBJECT, "An event must be an object.")
        if not self._shallow:
            check_depth(item, self._limits.depth)
        kind = item.get("type")
        if kind not in TYPES:
            raise Refusal(Reason.UNKNOWN_TYPE, f"Known types: {', '.join(TYPES)}.")
        message_id = text(item, "messageId", 100) or new_id(self._hit, index)
        message: dict[str, Any] = {"messageId": message_id, "type": kind, **self._shared}
        add_names(message, kind, item)
        for key in _IDS:
            if key in item and (value := text(item, key)):
                message[key] = value
        for key in ("properties", "traits"):
            if key in item and (held := an_object(item, key)):
                message[key] = held
        # Events without a context of their own share one object: it is enriched once for all of them.
        own = an_object(item, "context") if "context" in item else None
        message["context"] = {**self._context, **own} if own else self._context
        self._add_times(message, item)
        visitor = message.get("anonymousId") or message.get("userId") or ""
        return Event(index, message_id, kind, visitor, message)

    def _add_times(self, message: dict[str, Any], item: Mapping[str, Any]) -> None:
        original = to_ms(item.get("originalTimestamp", item.get("timestamp")))
        if original is not None:
            message["originalTimestamp"] = to_iso(original)
        message["timestamp"] = to_iso(corrected(self._hit.received_at, self._sent_at, original))
