"""The spine: accept → understand → enrich → append → answer. The whole product in one file.

A bridge calls ``accept`` with the name in the path, then ``take`` with the hit; what comes back is what
became of every event. The durability rule stands in ``_append``: nothing is called stored before it is safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector import metrics
from collector.model import KEPT, Hit, Outcome, Reason, Refusal, Source
from collector.overload import Stage, retry_after
from collector.records import encode, quarantined, rules_for
from collector.stream import Record, StreamError

if TYPE_CHECKING:
    from collector.enrich import Enricher
    from collector.limits import Limits
    from collector.overload import Overload
    from collector.protocols import Batch, Protocol
    from collector.settings import Settings
    from collector.sources import Catalogue
    from collector.stats import Counters, Quotas
    from collector.stream import RefusedLog, Stream

_STRAINED_INTERVAL_MS = 10_000


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The way of a hit."""

    catalogue: Catalogue
    stream: Stream
    refused: RefusedLog
    enricher: Enricher
    counters: Counters
    limits: Limits
    quotas: Quotas
    overload: Overload
    settings: Settings

    def accept(self, name: str, bridge: str) -> Source:
        """Return the source that a path names. Raises Refusal unknown_source, source_disabled."""
        source = self.catalogue.find(name)
        if source is None or source.bridge != bridge:
            raise Refusal(Reason.UNKNOWN_SOURCE)
        if not source.enabled:
            raise Refusal(Reason.SOURCE_DISABLED, source=source.id)
        return source

    async def take(self, hit: Hit, understand: Protocol, *, limited: bool = True) -> list[Outcome]:
        """Return what became of each event of a hit, in order; every one that counts as stored is safe.

        Raises Refusal when the hit as a whole is one too many, or cannot be read or made safe.
        """
        if limited:
            self.limits.admit(hit)
            self.quotas.admit(hit.source)
            self.overload.admit(hit)
        rules = rules_for(hit.source, self.settings)
        batch = understand(hit, rules.limits)
        if limited:
            self.overload.thin(batch, hit)
        self.enricher.enrich(batch.events, hit)
        batch.set_apart(lambda event: self.enricher.judge(event, hit))
        records = encode(batch, hit, rules)
        outcomes = await self._append(batch, hit.source, records + quarantined(batch, hit, rules))
        return self._report(outcomes, batch, hit.source)

    @property
    def strained(self) -> bool:
        """Whether who can wait should: events go to the spool, or are refused."""
        return self.stream.strained or self.overload.stage is Stage.ALL

    def advice(self) -> dict[str, str]:
        """Return headers for the sender: to batch for longer under strain, and what a 2xx is worth."""
        headers = {"X-Headwater-Ack": "memory"} if self.settings.ack == "memory" else {}
        if self.stream.strained or self.overload.stage:
            headers["X-Headwater-Interval"] = str(_STRAINED_INTERVAL_MS)
        return headers

    def refuse(self, source: Source | None, refusal: Refusal, *, where: str = "") -> None:
        """Count a refusal and show it in the console."""
        name = source.id if source else refusal.source
        metrics.refused(name, refusal.reason)
        self.counters.refused(name, refusal)
        self.refused.add(
            {"source": name, "reason": refusal.reason.code, "detail": refusal.detail[:500], "where": where}
        )

    async def _append(self, batch: Batch, source: Source, records: list[Record]) -> list[Outcome]:
        """Make the records safe and return what became of the events, which come first among them."""
        if source.transitional:
            return [Outcome(event.index, "checked", event.id) for event in batch.events]
        if not records:
            return []
        try:
            receipts = await self.stream.append(records)
        except StreamError as error:
            raise Refusal(Reason.STREAM_UNAVAILABLE, retry_after=retry_after()) from error
        return [
            Outcome(event.index, receipt.verdict, event.id, receipt.entry)
            for event, receipt in zip(batch.events, receipts, strict=False)
        ]

    def _report(self, outcomes: list[Outcome], batch: Batch, source: Source) -> list[Outcome]:
        """Count what became of the hit and return the outcomes of all its items, in their order."""
        metrics.taken(source.id, batch.protocol, [outcome.verdict for outcome in outcomes])
        self.counters.events(source.id, batch.events, outcomes)
        self.quotas.took(source, sum(outcome.verdict in KEPT for outcome in outcomes))
        for index, refusal in batch.refused:
            self.refuse(source, refusal, where=f"event {index}")
            outcomes.append(_set_apart(index, refusal))
        return sorted(outcomes, key=lambda outcome: outcome.index) if batch.refused else outcomes


def _set_apart(index: int, refusal: Refusal) -> Outcome:
    return Outcome(index, "dropped") if refusal.dropped else Outcome(index, "refused", refusal=refusal)
