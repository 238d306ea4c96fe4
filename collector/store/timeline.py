"""What the streams hold of one person, newest first, over all of them."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import orjson

from collector.store.people import PersonError, digests_in
from collector.store.people_index import order, ranges, streams_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Sequence

    from redis.asyncio import Redis

    from collector.store.names import Names

    Progress = Callable[[int, int], None]

_AT_ONCE = 500
_CURSOR = re.compile(r"(\d{1,20}-\d{1,20})@(.+)")


@dataclass(frozen=True, slots=True)
class Held:
    """An event of a person, and where it is: the name of a key and the entry in it."""

    stream: str
    entry: str
    event: dict[str, Any]

    @property
    def cursor(self) -> str:
        """Where the timeline goes on after this event."""
        return f"{self.entry}@{self.stream}"


async def timeline(
    redis: Redis,
    streams: Sequence[str],
    digests: Collection[int],
    *,
    before: str = "",
    progress: Progress | None = None,
) -> AsyncIterator[Held]:
    """Yield the events that one of the digests stands in, newest first; ``before`` is the last one's cursor.

    ``progress`` is told how many entries were looked at, and of how many. Raises PersonError for a cursor
    that is none, redis.exceptions.RedisError, OSError.
    """
    count = await _Count.start(redis, streams, progress)
    waiting: list[tuple[int, int, str, Held, AsyncIterator[Held]]] = []
    for stream in streams:
        reader = _backwards(redis, stream, digests, _start(before, stream), count)
        await _push(waiting, reader)
    while waiting:
        *_, held, reader = heappop(waiting)
        yield held
        await _push(waiting, reader)


async def remove(redis: Redis, stream: str, entry: str) -> int:
    """Remove an entry; return 0 when it was gone already. Raises redis.exceptions.RedisError, OSError."""
    return int(await redis.xdel(stream, entry))


async def append_to_all(redis: Redis, names: Names, event: dict[str, Any]) -> None:
    """Append an event to every stream there is. Raises redis.exceptions.RedisError, OSError."""
    fields: dict[Any, Any] = {
        "source": event["source"]["id"],
        "type": event["type"],
        "event": orjson.dumps(event),
    }
    for stream in await streams_of(redis, names):
        await redis.xadd(stream, fields)


async def _push(
    waiting: list[tuple[int, int, str, Held, AsyncIterator[Held]]], reader: AsyncIterator[Held]
) -> None:
    held = await anext(reader, None)
    if held:
        ms, _, number = held.entry.partition("-")
        heappush(waiting, (-int(ms), -int(number), held.stream, held, reader))


def _start(cursor: str, stream: str) -> str:
    """Return where a stream is read from, backwards; events of one moment are in the order of streams."""
    if not cursor:
        return "+"
    match = _CURSOR.fullmatch(cursor)
    if not match:
        raise PersonError(f"{cursor[:100]!r} is no cursor of a timeline.")
    return match[1] if stream > match[2] else f"({match[1]}"


async def _backwards(
    redis: Redis, stream: str, digests: Collection[int], newest: str, count: _Count
) -> AsyncIterator[Held]:
    async for low, high in ranges(redis, stream, digests):
        highest = _lower(newest, high)
        while rows := await _page(redis, stream, highest, low):
            for entry, fields in rows:
                raw = fields.get(b"event", b"")
                if not digests_in(raw).isdisjoint(digests):
                    yield Held(stream, entry.decode(), _event(raw))
            count.add(len(rows))
            highest = f"({rows[-1][0].decode()}"


def _event(raw: bytes) -> dict[str, Any]:
    """Return an event; of what others have appended that is none, its text."""
    with contextlib.suppress(orjson.JSONDecodeError):
        event = orjson.loads(raw)
        if isinstance(event, dict):
            return event
    return {"event": raw.decode(errors="replace")}


def _lower(one: str, other: str) -> str:
    """Return the lower of two upper ends of a range; each may be +, an entry, or an entry with ( in front."""
    if "+" in {one, other}:
        return other if one == "+" else one
    return min(one, other, key=lambda end: (order(end.lstrip("(")), end[0] != "("))


async def _page(redis: Redis, stream: str, newest: str, oldest: str) -> list[Any]:
    rows: Any = await redis.xrevrange(stream, max=newest, min=oldest, count=_AT_ONCE)
    return list(rows)


@dataclass(slots=True)
class _Count:
    """How far the reading is, for whoever waits for it."""

    total: int
    progress: Progress | None
    done: int = 0

    @classmethod
    async def start(cls, redis: Redis, streams: Sequence[str], progress: Progress | None) -> _Count:
        total = sum([await redis.xlen(stream) for stream in streams]) if progress else 0
        return cls(total, progress)

    def add(self, entries: int) -> None:
        self.done += entries
        if self.progress:
            self.progress(self.done, self.total)
