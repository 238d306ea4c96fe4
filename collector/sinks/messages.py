"""Events as messages for others: read, by whom they are about, and without what others have no word for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from collector.model import Refusal
from collector.protocols.decode import parse
from collector.sinks import Rejected
from collector.sinks.tombstones import FORGET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.sinks import Delivery

log = structlog.get_logger()


def readable(delivery: Delivery) -> dict[str, Any]:
    """Return an event as an object. Raises Rejected."""
    try:
        event = parse(delivery.event)
    except Refusal as refusal:
        raise Rejected(f"It cannot be read: {refusal.message}") from None
    if not isinstance(event, dict):
        raise Rejected("It is no object.")
    return event


def visitor_of(event: dict[str, Any]) -> str:
    """Return whom an event is about: what keeps the events of one visitor together and in order."""
    return str(event.get("anonymousId") or event.get("userId") or event.get("messageId") or "")


def without_tombstones(batch: Sequence[Delivery]) -> list[Delivery]:
    """Return the events of a batch; the target has no word for forgetting, so a person must see to it."""
    events = [each for each in batch if each.type != FORGET]
    if len(events) < len(batch):
        log.warning("sink_cannot_forget", people=len(batch) - len(events))
    return events
