"""Enrichment: an ordered tuple of pure steps, each of which writes only its own part of the context.

Two contracts. A step tells of what the events of a hit share, once for each distinct context of the hit:
``step(context, hit) -> part of the context``. A judge looks at one event after that, may write on it, and
may set it apart: ``judge(event, hit) -> Refusal | None``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from collector.enrich import (
    agent,
    bots,
    campaign,
    channels,
    client,
    language,
    page,
    paid,
    properties,
    referrer,
    rules,
    schemas,
    suppress,
)
from collector.enrich.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collector.model import Enrichment, Event, Hit, Refusal, Source
    from collector.protocols import Batch

Step: TypeAlias = "Callable[[dict[str, Any], Hit], dict[str, Any]]"
Judge: TypeAlias = "Callable[[Event, Hit], Refusal | None]"

STEPS: tuple[tuple[str, Step], ...] = (
    ("client", client.step),
    ("agent", agent.step),
    ("bots", bots.step),
    ("language", language.step),
    ("referrer", referrer.step),  # before the page loses its referrer's search term
    ("page", page.step),
    ("campaign", campaign.step),
    ("channels", channels.step),
    ("paid", paid.step),  # after the channel group, which asks for the kind of site
)
JUDGES: tuple[Judge, ...] = (
    suppress.judge,
    bots.judge,
    schemas.judge,  # of the payload as it was sent
    properties.judge,
    rules.judge,
)
# What a source must ask for to give a judge work; the others always have some.
_WORK: dict[Judge, Callable[[Enrichment], bool]] = {
    suppress.judge: suppress.has_work,
    bots.judge: lambda asked: asked.bots != "label",
    schemas.judge: lambda asked: asked.schema_mode != "off",
    rules.judge: lambda asked: bool(asked.rules),
}
_MOST_SOURCES = 10_000


def warm_up() -> None:
    """Build the engines, which takes near half a second, before a hit waits for it."""
    agent.read("")
    bots.read("Some news")  # asks every judge, and the last of them for its exceptions
    referrer.site("")


@dataclass(frozen=True, slots=True)
class Enricher:
    """The steps and judges of a collector."""

    steps: tuple[tuple[str, Step], ...]
    judges: tuple[Judge, ...]
    _memory: Memory = field(default_factory=Memory)
    _busy: dict[str, tuple[Source, list[Judge]]] = field(default_factory=dict)

    def enrich(self, events: Iterable[Event], hit: Hit) -> None:
        """Replace each event's context by the enriched one. Events that share a context share the result."""
        latest: dict[str, Any] | None = None
        told: dict[str, Any] = {}
        for event in events:
            context = event.message["context"]
            if context is not latest:
                latest, told = context, self._memory.recall(context, hit, self._told)
            event.message["context"] = told

    def judge(self, batch: Batch, hit: Hit) -> None:
        """Let every judge look at the enriched events of a hit; those that one refuses are set apart."""
        for each in self._judges_of(hit.source):
            batch.set_apart([each(event, hit) for event in batch.events])

    def forget(self) -> None:
        """Forget what was told of a moment ago."""
        self._memory.forget()

    def _told(self, context: dict[str, Any], hit: Hit) -> dict[str, Any]:
        return enrich_context(context, hit, self.steps)

    def _judges_of(self, source: Source) -> list[Judge]:
        """Return the judges that have work at a source."""
        known = self._busy.get(source.id)
        if known is None or known[0] is not source:
            if len(self._busy) >= _MOST_SOURCES:
                self._busy.clear()
            busy = [each for each in self.judges if each not in _WORK or _WORK[each](source.enrichment)]
            known = self._busy[source.id] = (source, busy)
        return known[1]


def enrich_context(
    context: dict[str, Any], hit: Hit, steps: tuple[tuple[str, Step], ...] = STEPS
) -> dict[str, Any]:
    """Return a new context with what every step tells; what a step tells as None is left out."""
    off = hit.source.enrichment.off
    enriched = dict(context)
    for name, step in steps:
        if not off or name not in off:
            enriched |= step(enriched, hit)
    return {key: value for key, value in enriched.items() if value is not None}
