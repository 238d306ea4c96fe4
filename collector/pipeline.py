"""The spine: accept → understand → enrich → append → answer. The whole product in one file.

A bridge calls ``accept`` with the name in the path, then ``take`` with the hit; what comes back is what
became of every event. The durability rule stands in ``_append``: nothing is called stored before it is safe.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from collector import __version__, metrics
from collector.enrich import enrich
from collector.model import Event, Hit, Outcome, Reason, Refusal, Source
from collector.protocols import Limits
from collector.protocols.clock import to_iso
from collector.protocols.decode import to_json
from collector.stream import Record, StreamError

if TYPE_CHECKING:
    from collector.protocols import Batch, Protocol
    from collector.settings import Settings
    from collector.sources import Catalogue
    from collector.stream import RefusedLog, Stream

_RETRY_AFTER_SECONDS = 5
_BROWSER_BRIDGES = ("web", "email")
QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The way of a hit."""

    catalogue: Catalogue
    stream: Stream
    refused: RefusedLog
    settings: Settings

    def accept(self, name: str, bridge: str) -> Source:
        """Return the source that a path names. Raises Refusal unknown_source, source_disabled."""
        source = self.catalogue.find(name)
        if source is None or source.bridge != bridge:
            raise Refusal(Reason.UNKNOWN_SOURCE)
        if not source.enabled:
            raise Refusal(Reason.SOURCE_DISABLED)
        return source

    async def take(self, hit: Hit, understand: Protocol) -> list[Outcome]:
        """Return what became of each event of a hit, in order; every one that counts as stored is safe.

        Raises Refusal when the hit as a whole cannot be read or made safe.
        """
        batch = understand(hit, self._limits(hit.source))
        metrics.HITS.labels(hit.source.id, batch.protocol).inc()
        self._require_consent(batch, hit.source)
        enrich(batch.events, hit)
        records = self._encode(batch, hit)
        outcomes = await self._append(batch, hit.source, [*records, *self._quarantined(batch, hit)])
        return self._with_refused(outcomes, batch, hit.source)

    def refuse(self, source: Source | None, refusal: Refusal, *, where: str = "") -> None:
        """Count a refusal and show it in the console."""
        name = source.id if source else ""
        metrics.refused(name, refusal.reason)
        self.refused.add(
            {"source": name, "reason": refusal.reason.code, "detail": refusal.detail[:500], "where": where}
        )

    def _limits(self, source: Source) -> Limits:
        settings = self.settings
        if source.bridge in _BROWSER_BRIDGES:
            return Limits(settings.batch_events, settings.event_bytes, settings.depth)
        return Limits(settings.server_batch_events, settings.server_event_bytes, settings.depth)

    def _require_consent(self, batch: Batch, source: Source) -> None:
        if source.privacy.consent == "required":
            _set_apart(batch, lambda event: None if _consented(event) else Refusal(Reason.CONSENT_MISSING))

    def _encode(self, batch: Batch, hit: Hit) -> list[Record]:
        """Return the records of the batch; an event that is too large is set apart."""
        stamp = _stamp(hit.source, batch)
        limit = self._limits(hit.source).event_bytes
        received = to_iso(hit.received_at)
        window = self._window(hit.source)
        records: dict[int, Record] = {}

        def encode(event: Event) -> Refusal | None:
            event.message |= {"receivedAt": received, **stamp}
            data = to_json(event.message)
            if len(data) > limit:
                return Refusal(Reason.EVENT_TOO_LARGE, f"The limit is {limit} bytes.")
            records[event.index] = _record(event, hit.source, window, data)
            return None

        _set_apart(batch, encode)
        return [records[event.index] for event in batch.events]

    def _quarantined(self, batch: Batch, hit: Hit) -> list[Record]:
        """Return the records that keep what a server sent and no event could be made of, each once."""
        if hit.source.bridge in _BROWSER_BRIDGES:
            return []
        source, records = hit.source, []
        for index, refusal in batch.refused:
            if index in batch.raw:
                raw = to_json(batch.raw[index])
                kept = {"reason": refusal.reason.code, "message": refusal.message, "index": index}
                kept |= {
                    "source": source.id,
                    "receivedAt": to_iso(hit.received_at),
                    "raw": orjson.Fragment(raw),
                }
                window = self._window(source)
                data = orjson.dumps(kept)
                records.append(
                    Record(source.id, QUARANTINE, source.id, "refused", raw.decode(), window, data)
                )
        return records

    def _window(self, source: Source) -> int:
        """Return how long the ids of a source's events are remembered, in seconds."""
        browser = source.bridge in _BROWSER_BRIDGES
        hours = self.settings.dedup_hours_browser if browser else self.settings.dedup_hours_server
        return int(hours * 3600)

    async def _append(self, batch: Batch, source: Source, records: list[Record]) -> list[Outcome]:
        events = batch.events
        if source.transitional:
            return self._count(source, [Outcome(event.index, "checked", event.id) for event in events])
        if not records:
            return []
        try:
            entries = await self.stream.append(records)
        except StreamError as error:
            raise Refusal(Reason.STREAM_UNAVAILABLE, retry_after=_RETRY_AFTER_SECONDS) from error
        return self._count(
            source,
            [
                Outcome(event.index, "stored" if entry else "duplicate", event.id, entry)
                for event, entry in zip(events, entries[: len(events)], strict=True)
            ],
        )

    def _count(self, source: Source, outcomes: list[Outcome]) -> list[Outcome]:
        for verdict, number in Counter(outcome.verdict for outcome in outcomes).items():
            metrics.EVENTS.labels(source.id, verdict).inc(number)
        return outcomes

    def _with_refused(self, outcomes: list[Outcome], batch: Batch, source: Source) -> list[Outcome]:
        for index, refusal in batch.refused:
            self.refuse(source, refusal, where=f"event {index}")
            outcomes.append(Outcome(index, "refused", refusal=refusal))
        return sorted(outcomes, key=lambda outcome: outcome.index)


def _set_apart(batch: Batch, judge: Any) -> None:
    """Move the events that ``judge`` gives a refusal for to the refused ones."""
    kept = []
    for event in batch.events:
        refusal = judge(event)
        if refusal is None:
            kept.append(event)
        else:
            batch.refused.append((event.index, refusal))
    batch.events = kept


def _record(event: Event, source: Source, window: int, data: bytes) -> Record:
    visitor = event.visitor or event.id
    return Record(visitor, source.stream, source.id, event.type, event.id, window, data)


def _consented(event: Event) -> bool:
    consent = event.message["context"].get("consent")
    return isinstance(consent, dict) and any(
        value is True or value == "granted" for value in consent.values()
    )


def _stamp(source: Source, batch: Batch) -> dict[str, Any]:
    """Return what the collector itself says of an event."""
    flags = {"flags": list(batch.flags)} if batch.flags else {}
    return {
        "source": {"id": source.id, "bridge": source.bridge, "channel": source.channel},
        "collector": {"version": __version__, "protocol": batch.protocol, **flags},
    }
