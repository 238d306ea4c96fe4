"""An event for people: its JSON in pieces, with what the collector added told apart from what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collector.model import Source

_ADDED = {"receivedAt", "timestamp", "source", "collector"}
# What the steps of enrichment write: docs/enrichment.md.
_ADDED_CONTEXT = {
    "automation",
    "bot",
    "browser",
    "campaign",
    "channelGroup",
    "device",
    "ip",
    "location",
    "os",
    "redacted",
    "referrer",
}


def pieces(event: dict[str, Any], source: Source | None) -> list[tuple[str, bool]]:
    """Return the lines of an event's JSON in pieces, each with whether the collector added it."""
    added = _ADDED | ({"anonymousId"} if _by_us(source) else set())
    shown: list[tuple[str, bool]] = [("{", False)]
    for name, value in event.items():
        if name == "context" and isinstance(value, dict):
            shown.append(('  "context": {', False))
            shown += [(_line(key, value[key], 4), key in _ADDED_CONTEXT) for key in value]
            shown.append(("  },", False))
        else:
            shown.append((_line(name, value, 2), name in added))
    return [*shown, ("}", False)]


def headline(event: dict[str, Any]) -> dict[str, str]:
    """Return what tells an event from others at a glance."""
    context = event.get("context")
    parts = [_text(context, part, "name") for part in ("browser", "os")]
    return {
        "type": _text(event, "type") or "?",
        "name": _text(event, "event") or _text(event, "name") or _text(context, "page", "title"),
        "where": _text(context, "page", "path"),
        "url": _text(context, "page", "url"),
        "who": " · ".join(filter(None, [*parts, _text(context, "location", "country")])),
        "bot": _text(context, "bot", "name") or _text(context, "bot", "kind"),
    }


def _by_us(source: Source | None) -> bool:
    return source is not None and source.bridge == "web" and source.privacy.visitors == "cookieless"


def _line(name: str, value: Any, indent: int) -> str:
    text = orjson.dumps({name: value}, option=orjson.OPT_INDENT_2, default=str).decode()
    inside = text.split("\n")[1:-1]
    return "\n".join(" " * (indent - 2) + line for line in inside) + ","


def _text(value: Any, *path: str) -> str:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
