"""What tokens and short links mean, in the words of Segment's email spec: opens, clicks, unsubscribes."""

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
    properties: dict[str, Any] = {"email_id": mark.message}
    if purpose == "click":
        properties |= {"link_id": mark.index, "link_url": mark.target}
    return _track(EVENTS[purpose], properties, mark.recipient)


def short_click(link_id: str, target: str, label: str) -> Protocol:
    """Return the protocol that makes the event of a short link, which says nothing of who follows it."""
    properties = {"link_id": link_id, "link_url": target, "link_label": label}
    return _track("Link Clicked", {name: value for name, value in properties.items() if value}, "")


def _track(name: str, properties: dict[str, Any], visitor: str) -> Protocol:
    def understand(hit: Hit, _limits: Limits) -> Batch:
        time = to_iso(hit.received_at)
        message_id = uuid7(hit.received_at)
        message: dict[str, Any] = {
            "messageId": message_id,
            "type": "track",
            "event": name,
            **({"anonymousId": visitor} if visitor else {}),
            "properties": properties,
            "context": {},
            "originalTimestamp": time,
            "timestamp": time,
        }
        return Batch("email", [Event(0, message_id, "track", visitor, message)])

    return understand
