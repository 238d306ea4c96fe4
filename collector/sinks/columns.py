"""Columns that everybody asks for, the same in every table: where each stands in an event, and its kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from collector.model import Refusal
from collector.protocols.decode import parse, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["text", "time", "bool", "json"]
_PATHS: Mapping[str, tuple[Kind, str]] = {
    "timestamp": ("time", "timestamp"),
    "received_at": ("time", "receivedAt"),
    "message_id": ("text", "messageId"),
    "type": ("text", "type"),
    "event": ("text", "event"),
    "channel": ("text", "source.channel"),
    "anonymous_id": ("text", "anonymousId"),
    "user_id": ("text", "userId"),
    "session_id": ("text", "sessionId"),
    "page_url": ("text", "context.page.url"),
    "page_path": ("text", "context.page.path"),
    "page_title": ("text", "context.page.title"),
    "page_referrer": ("text", "context.page.referrer"),
    "referrer_medium": ("text", "context.referrer.medium"),
    "referrer_source": ("text", "context.referrer.source"),
    "campaign_source": ("text", "context.campaign.source"),
    "campaign_medium": ("text", "context.campaign.medium"),
    "campaign_name": ("text", "context.campaign.name"),
    "browser": ("text", "context.browser.name"),
    "os": ("text", "context.os.name"),
    "device_type": ("text", "context.device.type"),
    "country": ("text", "context.location.country"),
    "bot": ("bool", "context.bot.is"),
    "gpc": ("bool", "collector.gpc"),
    "consent": ("json", "context.consent"),
    "properties": ("json", "properties"),
    "traits": ("json", "traits"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, the kind of its values, and the keys that lead to them in an event."""

    name: str
    kind: Kind
    path: tuple[str, ...]


COLUMNS = tuple(Column(name, kind, tuple(path.split("."))) for name, (kind, path) in _PATHS.items())


def values(raw: bytes) -> dict[str, Any]:
    """Return a value for each column: None for what is absent, or of another kind than the column is.

    Raises ValueError when it is no event.
    """
    try:
        event = parse(raw)
    except Refusal as refusal:
        raise ValueError(refusal.message) from None
    return {each.name: _READ[each.kind](_at(event, each.path)) for each in COLUMNS}


def _at(event: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        event = event.get(key) if isinstance(event, dict) else None
    return event


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _time(value: Any) -> datetime | None:
    try:
        when = datetime.fromisoformat(value)
        return when.astimezone(UTC) if when.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def _true(value: Any) -> bool:
    return value is True


def _json(value: Any) -> str | None:
    return None if value is None else to_json(value).decode()


_READ = {"text": _text, "time": _time, "bool": _true, "json": _json}
