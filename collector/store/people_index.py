"""Who is in which part of a long stream, so that a person is found without reading all of it.

A stream is cut into blocks of consecutive entries, each with at most 512 people: Redis keeps so small a set
of numbers as a sorted array of eight bytes each. A list beside the stream names the blocks, oldest first.
What is in no block yet, at the end, is read through; so is a stream that is not long enough for an index.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError, WatchError

from collector.store.people import digests_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from redis.asyncio import Redis

    from collector.store.names import Names

log = structlog.get_logger()

_PEOPLE = 512  # set-max-intset-entries of Redis and Valkey
_ENTRIES = 4096
_AT_ONCE = 200  # about a millisecond of work, since hits wait behind it
_BLOCKS_AT_ONCE = 500
_EVERY_SECONDS = 20
_LEAD_SECONDS = 60
_REST = 4  # of five parts of the time while there is much to read

Range = tuple[str, str]
_ALL = ("-", "+")


@dataclass(slots=True)
class _Block:
    """A block that is being filled; ``after`` is the entry before it."""

    after: str
    first: str = ""
    last: str = ""
    entries: int = 0
    digests: set[int] = field(default_factory=set)

    def takes(self, digests: set[int]) -> bool:
        """Tell whether an entry with these people still belongs to the block."""
        within = self.entries < _ENTRIES and len(self.digests) + len(digests - self.digests) <= _PEOPLE
        return within or not self.entries

    def add(self, entry: str, digests: set[int]) -> None:
        self.first, self.last = self.first or entry, entry
        self.entries += 1
        self.digests |= digests


class PeopleIndex:
    """Write the index of every stream with at least ``from_entries`` entries; 0 writes none.

    One collector does it for all; which one does not matter.
    """

    def __init__(self, redis: Redis, names: Names, *, from_entries: int) -> None:
        self._redis = redis
        self._names = names
        self._from_entries = from_entries
        self._open: dict[str, _Block] = {}
        self._token = secrets.token_hex(8)

    async def run(self) -> None:
        """Follow the streams until cancelled."""
        while self._from_entries:
            try:
                await self.follow()
            except (RedisError, OSError) as error:
                self._open.clear()
                log.warning("people_index_waits", error=str(error))
            await asyncio.sleep(_EVERY_SECONDS)

    async def follow(self) -> None:
        """Bring the index of every stream up to its end. Raises RedisError, OSError."""
        for stream in await streams_of(self._redis, self._names):
            await forget_gone(self._redis, stream)
            more = True
            while more and await self._leads():
                started = time.monotonic()
                more = await self._read_on(stream)
                await asyncio.sleep((time.monotonic() - started) * _REST)

    async def _leads(self) -> bool:
        """Tell whether this collector is the one that writes."""
        key = self._names.people_writer
        if await self._redis.set(key, self._token, nx=True, ex=_LEAD_SECONDS):
            return True
        if await self._redis.get(key) != self._token.encode():
            self._open.clear()
            return False
        return bool(await self._redis.expire(key, _LEAD_SECONDS))

    async def _read_on(self, stream: str) -> bool:
        """Read a slice of a stream; tell whether there is more."""
        block = self._open.get(stream) or await self._begin(stream)
        if block is None:
            return False
        rows: Any = await self._redis.xrange(stream, min=f"({block.last or block.after}", count=_AT_ONCE)
        for entry, fields in rows:
            digests = digests_in(fields.get(b"event", b""))
            if not block.takes(digests):
                await self._close(stream, block)
                block = _Block(block.last)
            block.add(entry.decode(), digests)
        self._open[stream] = block
        return len(rows) == _AT_ONCE

    async def _begin(self, stream: str) -> _Block | None:
        """Return a fresh block behind the last one; None for a stream without an index that needs none."""
        last = await self._last(stream)
        if not last and await self._redis.xlen(stream) < self._from_entries:
            return None
        return _Block(last or "0-0")

    async def _last(self, stream: str) -> str:
        """Return the last entry of the last block, empty when there is none."""
        blocks = await _list(self._redis, stream, -1, -1)
        return blocks[0][1] if blocks else ""

    async def _close(self, stream: str, block: _Block) -> None:
        """Write a block, unless another collector has written meanwhile: then both would overlap."""
        async with self._redis.pipeline(transaction=True) as pipe:
            await pipe.watch(_blocks_key(stream))
            if (await self._last(stream) or "0-0") != block.after:
                raise WatchError("another collector writes the index of people")
            pipe.multi()  # type: ignore[no-untyped-call]
            if block.digests:
                pipe.sadd(_people_key(stream, block.first), *block.digests)
            pipe.rpush(_blocks_key(stream), f"{block.first} {block.last}")
            await pipe.execute()


async def streams_of(redis: Redis, names: Names) -> list[str]:
    """Return the keys of all streams of events, also of those that no source names any more.

    Raises redis.exceptions.RedisError, OSError.
    """
    found = redis.scan_iter(match=f"{names.namespace}:{{*}}:*", count=1000, _type="stream")
    return sorted({key async for raw in found if names.is_stream(key := raw.decode())})


async def ranges(redis: Redis, stream: str, digests: Collection[int]) -> AsyncIterator[Range]:
    """Yield the parts of a stream that must be read for people, newest first: oldest entry, newest entry.

    Raises redis.exceptions.RedisError, OSError.
    """
    blocks = (await _list(redis, stream, 0, -1))[::-1]
    if not blocks:
        yield _ALL
        return
    yield f"({blocks[0][1]}", "+"
    for start in range(0, len(blocks), _BLOCKS_AT_ONCE):
        some = blocks[start : start + _BLOCKS_AT_ONCE]
        for (first, last), holds in zip(some, await _hold(redis, stream, some, digests), strict=True):
            if holds:
                yield first, last


async def forget_gone(redis: Redis, stream: str) -> None:
    """Remove the blocks all of whose entries have left the stream. Raises RedisError, OSError."""
    oldest: Any = await redis.xrange(stream, count=1)
    while blocks := await _list(redis, stream, 0, 0):
        first, last = blocks[0]
        if oldest and order(last) >= order(oldest[0][0].decode()):
            return
        async with redis.pipeline(transaction=True) as pipe:
            pipe.delete(_people_key(stream, first))
            pipe.lrem(_blocks_key(stream), 1, f"{first} {last}")
            await pipe.execute()


def order(entry: str) -> tuple[int, int]:
    """Return what entries of a stream are compared by."""
    ms, _, number = entry.partition("-")
    return int(ms), int(number)


async def _list(redis: Redis, stream: str, start: int, end: int) -> list[Range]:
    """Return blocks as their first and their last entry, oldest first."""
    told: Any = await redis.lrange(_blocks_key(stream), start, end)
    return [(first, last) for first, last in (each.decode().split(" ") for each in told)]


async def _hold(redis: Redis, stream: str, blocks: Sequence[Range], digests: Collection[int]) -> list[bool]:
    """Tell of each block whether one of the people is in it."""
    async with redis.pipeline(transaction=False) as pipe:
        for first, *_ in blocks:
            for digest in digests:
                pipe.sismember(_people_key(stream, first), digest)  # type: ignore[arg-type]
        answers = await pipe.execute()
    each = len(digests)
    return [any(answers[at : at + each]) for at in range(0, len(answers), each)]


def _blocks_key(stream: str) -> str:
    return f"{stream}:people"


def _people_key(stream: str, first: str) -> str:
    return f"{stream}:people:{first}"
