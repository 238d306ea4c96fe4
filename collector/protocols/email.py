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


def email(
    purpose: Purpose, mark: Mark, event_id: str = "", machine: dict[str, str] | None = None
) -> Protocol:
    """Return the protocol that makes the event of a token. ``machine`` labels a machine's hit."""
    properties: dict[str, Any] = {"email_id": mark.message}
    if purpose == "click":
        properties |= {"link_id": mark.index, "link_url": mark.target}
    message: dict[str, Any] = {"event": EVENTS[purpose], "properties": properties, "context": {}}
    if mark.recipient:
        message["anonymousId"] = mark.recipient
    if mark.consented:
        message["context"] = {"consent": {"email": True}}
    return _track(message, event_id, machine)


def short_click(
    link_id: str, target: str, label: str, event_id: str = "", machine: dict[str, str] | None = None
) -> Protocol:
    """Return the protocol that makes the event of a short link, which says nothing of who follows it."""
    properties = {"link_id": link_id, "link_url": target, "link_label": label}
    told = {name: value for name, value in properties.items() if value}
    return _track({"event": "Link Clicked", "properties": told, "context": {}}, event_id, machine)


def _track(fields: dict[str, Any], event_id: str, machine: dict[str, str] | None) -> Protocol:
    def understand(hit: Hit, _limits: Limits) -> Batch:
        time = to_iso(hit.received_at)
        message_id = event_id or uuid7(hit.received_at)
        message: dict[str, Any] = {
            "messageId": message_id,
            "type": "track",
            **fields,
            "originalTimestamp": time,
            "timestamp": time,
        }
        event = Event(0, message_id, "track", fields.get("anonymousId", ""), message)
        return Batch("email", [event], machine=machine)

    return understand
