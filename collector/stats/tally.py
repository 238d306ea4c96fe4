"""What is counted of an event: a few sums in memory, added up per source until they are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collector.model import Event

DIMENSIONS = (
    "events",
    "pages",
    "referrers",
    "campaigns",
    "browsers",
    "devices",
    "countries",
    "bots",
    "reasons",
)
_LONGEST = 200
_VIEWS = {"page", "screen"}
_AT_HOME = {"direct", "internal"}


@dataclass(slots=True)
class Tally:
    """The sums of one source: by metric, by dimension and value, and who was seen."""

    counts: dict[str, int] = field(default_factory=dict)
    tops: dict[tuple[str, str], int] = field(default_factory=dict)
    visitors: set[str] = field(default_factory=set)

    @property
    def size(self) -> int:
        """How many numbers and names are held."""
        return len(self.counts) + len(self.tops) + len(self.visitors)

    def count(self, metric: str, number: int = 1) -> None:
        """Add to a sum."""
        self.counts[metric] = self.counts.get(metric, 0) + number

    def top(self, dimension: str, value: str) -> None:
        """Add one to a value of a dimension."""
        key = (dimension, value[:_LONGEST])
        self.tops[key] = self.tops.get(key, 0) + 1

    def event(self, event: Event) -> None:
        """Count an event that was kept. A bot's counts as such and in nothing that tells of people."""
        self.count("events")
        message = event.message
        context = message["context"]
        bot = context.get("bot")
        if isinstance(bot, dict):
            self.count("bots")
            self.top("bots", _text(bot, "name") or f"{_text(bot, 'kind') or 'unknown'} bot")
            return
        if event.visitor:
            self.visitors.add(event.visitor)
        self.top("events", _text(message, "event") or event.type)
        for dimension, part, name in _OF_CONTEXT:
            told = context.get(part)
            if isinstance(told, dict) and (value := told.get(name)) and isinstance(value, str):
                self.top(dimension, value)
        if event.type in _VIEWS:
            self._view(context)

    def _view(self, context: dict[str, Any]) -> None:
        """Count what tells how people came: of views only, since every event of a visit carries it."""
        self.count("views")
        if path := _text(context.get("page"), "path"):
            self.top("pages", path)
        referrer = context.get("referrer")
        if _text(referrer, "medium") not in _AT_HOME and (source := _text(referrer, "source")):
            self.top("referrers", source)
        campaign = context.get("campaign")
        if named := [part for key in ("source", "medium", "name") if (part := _text(campaign, key))]:
            self.top("campaigns", " / ".join(named))


_OF_CONTEXT = (
    ("browsers", "browser", "name"),
    ("devices", "device", "type"),
    ("countries", "location", "country"),
)


def _text(parent: Any, key: str) -> str:
    value = parent.get(key) if isinstance(parent, dict) else None
    return value if isinstance(value, str) else ""
