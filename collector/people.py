"""Access and erasure: what is held of one person, told, handed out, or removed.

The command line, the console and the management API call these; who may is their business.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from collector import __version__
from collector.protocols.clock import to_iso
from collector.protocols.ids import uuid7
from collector.store.deliveries import held_deliveries
from collector.store.erased import remember_erased
from collector.store.people import Person, PersonError, digests_in
from collector.store.people_index import streams_of
from collector.store.timeline import Held, append_to_all, remove, timeline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from collector.sources import Catalogue
    from collector.store import Names, Redis
    from collector.store.timeline import Progress
    from collector.stream import Record

__all__ = ["Forgotten", "Held", "Holdings", "Person", "PersonError", "export", "forget", "person"]


async def _nothing() -> AsyncIterator[Record]:
    """Yield no record."""
    nobody: tuple[Record, ...] = ()
    for each in nobody:
        yield each


@dataclass(frozen=True, slots=True)
class Holdings:
    """Where events of people are held; ``waiting`` gives the records in a spool."""

    redis: Redis
    names: Names
    catalogue: Catalogue
    waiting: Callable[[], AsyncIterator[Record]] = _nothing


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was removed."""

    events: int
    deliveries: int


async def person(
    holdings: Holdings, who: Person, *, before: str = "", progress: Progress | None = None
) -> AsyncIterator[Held]:
    """Yield the events of a person from all sources and streams, newest first.

    For the next page, call again with the ``cursor`` of the last event as ``before``. ``progress`` is told
    how many entries were looked at, of how many. Raises PersonError, redis.exceptions.RedisError, OSError.
    """
    digests = who.digests
    streams = await streams_of(holdings.redis, holdings.names)
    async for held in timeline(holdings.redis, streams, digests, before=before, progress=progress):
        if held.event.get("type") != "forget":
            yield held


async def export(
    holdings: Holdings, who: Person, *, progress: Progress | None = None
) -> AsyncIterator[dict[str, Any]]:
    """Yield all that is held of a person: events with stream and entry, those that wait, kept deliveries.

    Raises PersonError, redis.exceptions.RedisError, OSError, SpoolError.
    """
    async for held in person(holdings, who, progress=progress):
        yield {"stream": held.stream, "entry": held.entry, "event": held.event}
    async for record in holdings.waiting():
        if not digests_in(record.data).isdisjoint(who.digests):
            yield {"spool": record.stream, "event": orjson.loads(record.data)}
    async for key, entry, delivery in held_deliveries(holdings.redis, holdings.names, who):
        yield {"stream": key, "entry": entry, "delivery": delivery}


async def forget(
    holdings: Holdings, who: Person, *, block: bool = False, progress: Progress | None = None
) -> Forgotten:
    """Remove what is held of a person, leave a tombstone, and keep the ids out from now on if asked.

    What waits in a spool, this one's or another collector's, is left out when it is brought to the stream.
    Raises PersonError, redis.exceptions.RedisError, OSError.
    """
    redis, names, ids = holdings.redis, holdings.names, who.ids
    if block:  # first, so that nothing new comes behind the broom
        await _block(holdings.catalogue, ids)
    await remember_erased(redis, names, who.digests)
    events = deliveries = 0
    async for held in person(holdings, who, progress=progress):
        events += await remove(redis, held.stream, held.entry)
    async for key, entry, _ in held_deliveries(redis, names, who):
        deliveries += await remove(redis, key, entry)
    await append_to_all(redis, names, _tombstone(ids))
    return Forgotten(events, deliveries)


async def _block(catalogue: Catalogue, ids: dict[str, str]) -> None:
    for each in list(catalogue):
        listed = {*each.enrichment.suppress_visitors, *ids.values()}
        await catalogue.change(each.id, {"enrichment": {"suppress_visitors": sorted(listed)}})


def _tombstone(ids: dict[str, str]) -> dict[str, Any]:
    """Return the event by which consumers learn what to remove from what they have copied."""
    now = time.time_ns() // 1_000_000
    return {
        "messageId": uuid7(now),
        "type": "forget",
        **ids,
        "source": {"id": "headwater"},
        "timestamp": to_iso(now),
        "receivedAt": to_iso(now),
        "collector": {"version": __version__},
    }
