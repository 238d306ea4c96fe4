"""What an event looks like in the stream: the collector's own stamp on it, its JSON, its place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from collector import __version__
from collector.model import BRIDGES, BROWSER_BRIDGES, Event, Hit, Reason, Refusal, SharedContext
from collector.protocols import Limits
from collector.protocols.clock import to_iso
from collector.protocols.decode import to_json
from collector.stream import QUARANTINE, Record

if TYPE_CHECKING:
    from collector.protocols import Batch
    from collector.settings import Settings

_STAMPED = ("receivedAt", "source", "collector")  # what the collector alone says of an event
_MASKED, _MASKED_IN_TEXT = b'"********"', rb"\"********\""
# What a visitor's browser says about privacy, and where it is noted.
_SIGNALS = (("Sec-GPC", "gpc"), ("DNT", "dnt"))


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for the events of a bridge: its limits, and how long an id is remembered, in seconds."""

    limits: Limits
    window: int
    quarantine: bool


def rules_of_bridges(settings: Settings) -> dict[str, Rules]:
    """Return the rules by bridge: a browser is a stranger, a server is known and retries for long."""
    browsers = Limits(settings.batch_events, settings.event_bytes, settings.depth)
    servers = Limits(settings.server_batch_events, settings.server_event_bytes, settings.depth)
    of_browsers = Rules(browsers, int(settings.dedup_hours_browser * 3600), quarantine=False)
    of_servers = Rules(servers, int(settings.dedup_hours_server * 3600), quarantine=True)
    return {bridge: of_browsers if bridge in BROWSER_BRIDGES else of_servers for bridge in BRIDGES}


def encode(batch: Batch, hit: Hit, rules: Rules) -> list[Record]:
    """Return a record for each event of the batch; an event that is too large is set apart first."""
    write = _Writer(to_iso(hit.received_at), _said(hit, batch)).write
    written = [write(event) for event in batch.events]
    if max(map(len, written), default=0) > rules.limits.event_bytes:
        batch.set_apart([_too_large(len(data), rules.limits.event_bytes) for data in written])
        written = [data for data in written if len(data) <= rules.limits.event_bytes]
    source = hit.source
    return [
        Record(
            event.visitor or event.id,
            event.stream or source.stream,
            source.id,
            event.type,
            event.id,
            rules.window,
            data,
        )
        for event, data in zip(batch.events, written, strict=True)
    ]


def quarantined(batch: Batch, hit: Hit, rules: Rules) -> list[Record]:
    """Return the records that keep what a server sent and no event could be made of, each once."""
    if not rules.quarantine:
        return []
    name = hit.source.id
    records = []
    for index, refusal in batch.refused:
        if index in batch.raw:
            raw = _without(batch.secrets, to_json(batch.raw[index]))
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


def _without(secrets: tuple[str, ...], raw: bytes) -> bytes:
    """Return an item's JSON without the texts that are secrets; an imported line is JSON in a text."""
    for secret in filter(None, secrets):
        text = orjson.dumps(secret.encode(errors="replace").decode())
        raw = raw.replace(text, _MASKED).replace(orjson.dumps(text.decode())[1:-1], _MASKED_IN_TEXT)
    return raw


class _Writer:
    """Write the events of a hit: what they share is made JSON once, and joined to what is each one's own."""

    def __init__(self, received_at: str, said: _Said) -> None:
        self._received_at = received_at
        self._said = said
        self._stamp = b',"receivedAt":"%b",%b' % (received_at.encode(), said.json)
        self._context: Any = None
        self._shared = b""

    def write(self, event: Event) -> bytes:
        message = event.message
        for key in _STAMPED:
            message.pop(key, None)
        if event.flags:
            return to_json({**message, "receivedAt": self._received_at, **self._said.of_an_event(event)})
        context = message.pop("context")
        if context is not self._context:
            written = context.json if type(context) is SharedContext else to_json(context)
            self._context, self._shared = context, b',"context":' + written + self._stamp
        data = to_json(message)[:-1] + self._shared
        message["context"] = context
        return data


def _too_large(size: int, limit: int) -> Refusal | None:
    return Refusal(Reason.EVENT_TOO_LARGE, f"The limit is {limit} bytes.") if size > limit else None


@dataclass(frozen=True, slots=True)
class _Said:
    """What the collector itself says of the events of a hit, but for their time; ``json`` ends an object."""

    parts: dict[str, dict[str, Any]]
    json: bytes

    def of_an_event(self, event: Event) -> dict[str, dict[str, Any]]:
        """Return the same of an event that has flags of its own, beside those of its hit."""
        collector = self.parts["collector"]
        flags = [*collector.get("flags", ()), *event.flags]
        return {**self.parts, "collector": {**collector, "flags": flags}}


def _said(hit: Hit, batch: Batch) -> _Said:
    source, headers = hit.source, hit.headers
    return _known(
        (source.id, source.bridge, source.channel),
        batch.protocol,
        (*batch.flags, *hit.flags),
        tuple(batch.machine.items()) if batch.machine else (),
        (batch.sampled, tuple([name for header, name in _SIGNALS if headers.get(header) == "1"])),
    )


@lru_cache(1024)  # of a source's hits few things are said
def _known(
    source: tuple[str, str, str],
    protocol: str,
    flags: tuple[str, ...],
    machine: tuple[tuple[str, str], ...],
    signs: tuple[float, tuple[str, ...]],
) -> _Said:
    sampled, signals = signs
    collector: dict[str, Any] = {"version": __version__, "protocol": protocol}
    if flags:
        collector["flags"] = list(flags)
    if machine:
        collector["machine"] = dict(machine)
    if sampled < 1:
        collector["sampled"] = sampled
    collector |= dict.fromkeys(signals, True)
    parts = {"source": dict(zip(("id", "bridge", "channel"), source, strict=True)), "collector": collector}
    return _Said(parts, orjson.dumps(parts)[1:])
