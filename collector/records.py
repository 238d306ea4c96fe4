"""What an event looks like in the stream: the collector's own stamp on it, its JSON, its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from collector import __version__
from collector.model import BROWSER_BRIDGES, Event, Hit, Reason, Refusal, Source
from collector.protocols import Limits
from collector.protocols.clock import to_iso
from collector.protocols.decode import to_json
from collector.stream import QUARANTINE, Record

if TYPE_CHECKING:
    from collector.protocols import Batch
    from collector.settings import Settings

# What a visitor's browser says about privacy, and where it is noted.
_SIGNALS = {"Sec-GPC": "gpc", "DNT": "dnt"}


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for the events of a bridge: its limits, and how long an id is remembered, in seconds."""

    limits: Limits
    window: int
    quarantine: bool


def rules_for(source: Source, settings: Settings) -> Rules:
    """Return the rules of a source: a browser is a stranger, a server is known and retries for long."""
    if source.bridge in BROWSER_BRIDGES:
        limits = Limits(settings.batch_events, settings.event_bytes, settings.depth)
        return Rules(limits, int(settings.dedup_hours_browser * 3600), quarantine=False)
    limits = Limits(settings.server_batch_events, settings.server_event_bytes, settings.depth)
    return Rules(limits, int(settings.dedup_hours_server * 3600), quarantine=True)


def encode(batch: Batch, hit: Hit, rules: Rules) -> list[Record]:
    """Return a record for each event of the batch; an event that is too large is set apart first."""
    stamp = _stamp(hit, batch)
    written: dict[int, bytes] = {}
    contexts = _Contexts()

    def write(event: Event) -> Refusal | None:
        event.message |= stamp
        if event.flags:
            event.message["collector"] = _flagged(stamp["collector"], event.flags)
        data = written[event.index] = contexts.write(event.message)
        if len(data) > rules.limits.event_bytes:
            return Refusal(Reason.EVENT_TOO_LARGE, f"The limit is {rules.limits.event_bytes} bytes.")
        return None

    batch.set_apart(write)
    return [_record(event, hit.source, rules, written[event.index]) for event in batch.events]


def _flagged(stamp: dict[str, Any], flags: tuple[str, ...]) -> dict[str, Any]:
    """Return the stamp of an event that has flags of its own, beside those of its hit."""
    return {**stamp, "flags": [*stamp.get("flags", ()), *flags]}


def quarantined(batch: Batch, hit: Hit, rules: Rules) -> list[Record]:
    """Return the records that keep what a server sent and no event could be made of, each once."""
    if not rules.quarantine:
        return []
    name = hit.source.id
    records = []
    for index, refusal in batch.refused:
        if index in batch.raw:
            raw = to_json(batch.raw[index])
            data = orjson.dumps(
                {
                    "reason": refusal.reason.code,
                    "message": refusal.message,
                    "index": index,
                    "source": name,
                    "receivedAt": to_iso(hit.received_at),
                    "raw": orjson.Fragment(raw),
                }
            )
            records.append(Record(name, QUARANTINE, name, "refused", raw.decode(), rules.window, data))
    return records


class _Contexts:
    """Write messages; a context that several of a hit share is written once, when the second one comes."""

    def __init__(self) -> None:
        self._latest: Any = None
        self._written: orjson.Fragment | None = None

    def write(self, message: dict[str, Any]) -> bytes:
        context = message["context"]
        if context is not self._latest:
            self._latest, self._written = context, None
            return to_json(message)
        if self._written is None:
            self._written = orjson.Fragment(to_json(context))
        try:
            return orjson.dumps({**message, "context": self._written})
        except TypeError:  # an integer too long for orjson
            return to_json(message)


def _record(event: Event, source: Source, rules: Rules, data: bytes) -> Record:
    visitor = event.visitor or event.id
    stream = event.stream or source.stream
    return Record(visitor, stream, source.id, event.type, event.id, rules.window, data)


def _stamp(hit: Hit, batch: Batch) -> dict[str, Any]:
    """Return what the collector itself says of the events of a hit."""
    source = hit.source
    noted = (*batch.flags, *hit.flags)
    flags: dict[str, Any] = {"flags": list(noted)} if noted else {}
    if batch.machine:
        flags["machine"] = batch.machine
    if batch.sampled < 1:
        flags["sampled"] = batch.sampled
    flags |= {name: True for header, name in _SIGNALS.items() if hit.headers.get(header) == "1"}
    return {
        "receivedAt": to_iso(hit.received_at),
        "source": {"id": source.id, "bridge": source.bridge, "channel": source.channel},
        "collector": {"version": __version__, "protocol": batch.protocol, **flags},
    }
