"""The spine: accept → understand → enrich → append → answer. The whole product in one file.

A bridge calls ``accept`` with the name in the path, then ``take`` with the hit; what comes back is what
became of every event. The durability rule stands in ``_append``: nothing is called stored before it is safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector import metrics
from collector.model import Hit, Outcome, Reason, Refusal, Source
from collector.overload import Stage, retry_after
from collector.protocols import Batch
from collector.records import encode, quarantined
from collector.stream import Receipt, StreamError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collector.enrich import Enricher
    from collector.limits import Limits
    from collector.overload import Overload
    from collector.protocols import Protocol
    from collector.records import Rules
    from collector.settings import Settings
    from collector.sources import Catalogue
    from collector.stats import Counters, Quotas
    from collector.stream import Record, RefusedLog, Stream

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
    rules: Mapping[str, Rules]

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
        batch, records = self._read(hit, understand, thinned=limited)
        receipts = await self._append(hit.source, records)
        outcomes = self._report(_outcomes(batch, receipts), batch, hit.source)
        self.quotas.took(hit.source, outcomes)
        return outcomes

    async def take_together(
        self, source: Source, hits: Sequence[tuple[Hit, Protocol]]
    ) -> list[list[Outcome]]:
        """Return what became of the events of each hit of an archive; all that count as stored are safe.

        They are no load of the street: rates and quotas are not theirs. A hit that cannot be read is an
        outcome of its own. Raises Refusal when they could not be made safe.
        """
        read = [self._read_archived(hit, understand) for hit, understand in hits]
        receipts = iter(await self._append(source, [record for _, records in read for record in records]))
        taken = [(batch, [next(receipts) for _ in records]) for batch, records in read]
        return [self._report(_outcomes(batch, own), batch, source) for batch, own in taken]

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

    def _read(self, hit: Hit, understand: Protocol, *, thinned: bool) -> tuple[Batch, list[Record]]:
        """Return the enriched events of a hit, and its records, those of the events first.

        Of a sender who wants to be nobody only the shedding of load still sees who it is.
        """
        sender, hit = hit, hit.of_nobody() if hit.anonymous else hit
        rules = self.rules[hit.source.bridge]
        batch = understand(hit, rules.limits)
        if thinned:
            self.overload.thin(batch, sender)
        self.enricher.enrich(batch.events, hit)
        self.enricher.judge(batch, hit)
        records = encode(batch, hit, rules)
        return batch, records + quarantined(batch, hit, rules)

    def _read_archived(self, hit: Hit, understand: Protocol) -> tuple[Batch, list[Record]]:
        try:
            return self._read(hit, understand, thinned=False)
        except Refusal as refusal:
            return Batch("archive", refused=[(0, refusal)]), []

    async def _append(self, source: Source, records: list[Record]) -> list[Receipt]:
        """Make the records safe and return what became of each. Raises Refusal stream_unavailable."""
        if source.transitional:
            return [Receipt("checked")] * len(records)
        if not records:
            return []
        try:
            return await self.stream.append(records)
        except StreamError as error:
            raise Refusal(Reason.STREAM_UNAVAILABLE, retry_after=retry_after()) from error

    def _report(self, outcomes: list[Outcome], batch: Batch, source: Source) -> list[Outcome]:
        """Count what became of the hit and return the outcomes of all its items, in their order."""
        verdicts = [outcome.verdict for outcome in outcomes]
        metrics.taken(source.id, batch.protocol, verdicts)
        self.counters.events(source.id, batch.events, outcomes)
        for index, refusal in batch.refused:
            self.refuse(source, refusal, where=f"event {index}")
            outcomes.append(_set_apart(index, refusal))
        return sorted(outcomes, key=lambda outcome: outcome.index) if batch.refused else outcomes


def _outcomes(batch: Batch, receipts: Sequence[Receipt]) -> list[Outcome]:
    return [
        Outcome(event.index, receipt.verdict, event.id, receipt.entry)
        for event, receipt in zip(batch.events, receipts, strict=False)
    ]


def _set_apart(index: int, refusal: Refusal) -> Outcome:
    return Outcome(index, "dropped") if refusal.dropped else Outcome(index, "refused", refusal=refusal)
