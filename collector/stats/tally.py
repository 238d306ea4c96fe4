"""What is counted of an event: a few sums in memory, added up per source until they are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from collector.model import SharedContext
from collector.recall import remembered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.model import Event

_Key: TypeAlias = "tuple[str, str]"

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
    tops: dict[_Key, int] = field(default_factory=dict)
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

    def events(self, events: Iterable[Event]) -> None:
        """Count events that were kept. What those of a hit share is looked at once."""
        context: Any = None
        number = 0
        for event in events:
            if event.message["context"] is not context:
                self._of_context(context, number)
                context, number = event.message["context"], 0
            number += 1
            if not isinstance(context.get("bot"), dict):
                self._of_event(event, context)
        self._of_context(context, number)

    def _of_context(self, context: Any, number: int) -> None:
        """Count events by their context. Bots count as such and in nothing that tells of people."""
        if not number:
            return
        self.count("events", number)
        if isinstance(context.get("bot"), dict):
            self.count("bots", number)
        tell = _of_shared if type(context) is SharedContext else _of_context
        for key in tell(context):
            self.tops[key] = self.tops.get(key, 0) + number

    def _of_event(self, event: Event, context: dict[str, Any]) -> None:
        if event.visitor:
            self.visitors.add(event.visitor)
        self.top("events", _text(event.message, "event") or event.type)
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


def _of_context(context: dict[str, Any]) -> tuple[_Key, ...]:
    """Return the values that a context counts for, of a bot which one it is."""
    bot = context.get("bot")
    if isinstance(bot, dict):
        told = [("bots", _text(bot, "name") or f"{_text(bot, 'kind') or 'unknown'} bot")]
    else:
        told = [(dimension, _text(context.get(part), name)) for dimension, part, name in _OF_CONTEXT]
    return tuple([(dimension, value[:_LONGEST]) for dimension, value in told if value])


_of_shared = remembered(4096)(_of_context)


def _text(parent: Any, key: str) -> str:
    value = parent.get(key) if isinstance(parent, dict) else None
    return value if isinstance(value, str) else ""
