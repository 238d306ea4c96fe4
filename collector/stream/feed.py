"""Look at the streams as they fill, for people: the last entries of a source, and those that come."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from collector.store import Names, Redis

_PAGE = 500
_PAGES = 8  # of a stream that other sources share: what lies deeper is not looked for
_EVERY_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of the stream, or a refusal, with its id; ``stream`` is ``refused`` for the latter."""

    stream: str
    id: str
    body: dict[str, Any]

    @property
    def at(self) -> float:
        """When it was added, in seconds since 1970."""
        return int(self.id.partition("-")[0]) / 1000

    @property
    def refused(self) -> bool:
        """Whether it is a refusal."""
        return self.stream == REFUSED


REFUSED = "refused"
_ENTRY = re.compile(r"\d{1,20}-\d{1,20}")


class Feed:
    """The entries of sources. Every method raises redis.exceptions.RedisError, OSError."""

    def __init__(self, redis: Redis, names: Names, partitions: int) -> None:
        self._redis = redis
        self._names = names
        self._partitions = partitions

    async def last(self, source: str | None, streams: Sequence[str], count: int) -> list[Entry]:
        """Return the last entries of a source, or of all, in some streams, newest first."""
        found: list[Entry] = []
        for key, stream in self._keys(streams).items():
            found += [entry async for entry in self._back(key, stream, source, count)]
        return sorted(found, key=lambda entry: _order(entry.id), reverse=True)[:count]

    async def ends(self, streams: Sequence[str]) -> list[str]:
        """Return where the streams end, for ``follow`` to begin at."""
        return [await self._end(key) for key in self._keys(streams)]

    async def follow(
        self, source: str, streams: Sequence[str], since: Sequence[str] = ()
    ) -> AsyncIterator[list[Entry]]:
        """Yield what comes to a source from now on, in groups; an empty one when nothing did for a while.

        ``since`` are the ends of the same streams at an earlier moment.
        """
        keys = self._keys(streams)
        known = len(since) == len(keys) and all(map(_ENTRY.fullmatch, since))
        begin = since if known else await self.ends(streams)
        seen: dict[str, Any] = dict(zip(keys, begin, strict=True))
        while True:
            group: list[Entry] = []
            for key, rows in await self._newer(seen):
                seen[key] = rows[-1][0]
                group += _of_source(rows, keys[key], source)
            yield group
            await asyncio.sleep(_EVERY_SECONDS)

    async def all(self, source: str, streams: Sequence[str]) -> AsyncIterator[Entry]:
        """Yield every entry of a source that is still there, stream by stream, oldest first."""
        for key, stream in self._keys(streams).items():
            begin = "-"
            rows: Any = [None]
            while rows:
                rows = await self._redis.xrange(key, min=begin, count=_PAGE)
                for entry in _of_source(rows, stream, source):
                    yield entry
                begin = f"({rows[-1][0].decode()}" if rows else begin

    def _keys(self, streams: Sequence[str]) -> dict[str, str]:
        """Return the stream of each key."""
        keys = {}
        for stream in streams:
            if stream == REFUSED:
                keys[self._names.refused] = stream
            else:
                keys |= {self._names.stream(each, stream): stream for each in range(self._partitions)}
        return keys

    async def _newer(self, seen: dict[str, Any]) -> list[tuple[str, Any]]:
        """Return the keys that have new entries, with them; one by one, since a cluster spreads them."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for key, last in seen.items():
                pipe.xread({key: last}, count=_PAGE)
            answers: Any = await pipe.execute()
        return [(key.decode(), rows) for answer in answers for key, rows in answer]

    async def _end(self, key: str) -> str:
        last: Any = await self._redis.xrevrange(key, count=1)
        return last[0][0].decode() if last else "0-0"

    async def _back(self, key: str, stream: str, source: str | None, count: int) -> AsyncIterator[Entry]:
        end = "+"
        for _ in range(_PAGES):
            rows: Any = await self._redis.xrevrange(key, max=end, count=_PAGE)
            for entry in _of_source(rows, stream, source):
                yield entry
                count -= 1
                if not count:
                    return
            if len(rows) < _PAGE:
                return
            end = f"({rows[-1][0].decode()}"


def _of_source(rows: Any, stream: str, source: str | None) -> list[Entry]:
    wanted = source.encode() if source is not None else None
    return [
        Entry(stream, entry.decode(), _body(fields))
        for entry, fields in rows
        if wanted is None or fields.get(b"source") == wanted
    ]


def _body(fields: dict[bytes, bytes]) -> dict[str, Any]:
    if b"event" in fields:
        event: dict[str, Any] = orjson.loads(fields[b"event"])
        return event
    return {name.decode(): value.decode(errors="replace") for name, value in fields.items()}


def _order(entry: str) -> tuple[int, int]:
    ms, _, number = entry.partition("-")
    return int(ms), int(number)
