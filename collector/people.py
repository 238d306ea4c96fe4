"""Access and erasure: what is held of one person, told, handed out, or removed.

The command line, the console and the management API call these; who may is their business.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector import __version__
from collector.protocols.clock import to_iso
from collector.protocols.ids import uuid7
from collector.store.people import Person, PersonError
from collector.store.people_index import streams_of
from collector.store.timeline import Held, append_to_all, remove, timeline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collector.sources import Catalogue
    from collector.store import Names, Redis
    from collector.store.timeline import Progress

__all__ = ["Held", "Holdings", "Person", "PersonError", "export", "forget", "person"]


@dataclass(frozen=True, slots=True)
class Holdings:
    """Where events of people are held."""

    redis: Redis
    names: Names
    catalogue: Catalogue


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
    """Yield all that is held of a person: each event with its stream and entry.

    Raises PersonError, redis.exceptions.RedisError, OSError.
    """
    async for held in person(holdings, who, progress=progress):
        yield {"stream": held.stream, "entry": held.entry, "event": held.event}


async def forget(
    holdings: Holdings, who: Person, *, block: bool = False, progress: Progress | None = None
) -> int:
    """Remove what is held of a person, leave a tombstone, and keep the ids out from now on if asked.

    Returns how many events were removed. Raises PersonError, redis.exceptions.RedisError, OSError.
    """
    ids = who.ids
    if block:  # first, so that nothing new comes behind the broom
        await _block(holdings.catalogue, ids)
    removed = 0
    async for held in person(holdings, who, progress=progress):
        removed += await remove(holdings.redis, held)
    await append_to_all(holdings.redis, holdings.names, _tombstone(ids))
    return removed


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
