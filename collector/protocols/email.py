"""What the tokens of mails mean: an open, a click, an unsubscribe, in the words of Segment's email spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.model import Event
from collector.protocols.batch import Batch
from collector.protocols.clock import to_iso
from collector.protocols.ids import uuid7

if TYPE_CHECKING:
    from collector.links import Mark, Purpose
    from collector.model import Hit
    from collector.protocols.batch import Limits, Protocol

EVENTS: dict[Purpose, str] = {
    "click": "Email Link Clicked",
    "open": "Email Opened",
    "unsubscribe": "Unsubscribed",
}


def email(purpose: Purpose, mark: Mark) -> Protocol:
    """Return the protocol that makes the event of a token."""

    def understand(hit: Hit, _limits: Limits) -> Batch:
        time = to_iso(hit.received_at)
        message_id = uuid7(hit.received_at)
        message: dict[str, Any] = {
            "messageId": message_id,
            "type": "track",
            "event": EVENTS[purpose],
            "anonymousId": mark.recipient,
            "properties": _properties(purpose, mark),
            "context": {},
            "originalTimestamp": time,
            "timestamp": time,
        }
        return Batch("email", [Event(0, message_id, "track", mark.recipient, message)])

    return understand


def _properties(purpose: Purpose, mark: Mark) -> dict[str, Any]:
    properties: dict[str, Any] = {"email_id": mark.message}
    if purpose == "click":
        properties |= {"link_id": mark.index, "link_url": mark.target}
    return properties
