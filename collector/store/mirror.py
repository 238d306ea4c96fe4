"""A hash in Redis that every collector holds in memory: followed live, with a snapshot on local disk.

Every write appends the names that it touches to a change stream in the same transaction; every mirror blocks
on that stream, and one that was away reads all anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from redis.exceptions import RedisError

from collector.store.followed import Followed
from collector.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from redis.asyncio import Redis

log = structlog.get_logger()

Item = TypeVar("Item")

_CHANGES_KEPT = 10_000
_AT_ONCE = 1000
_BLOCK_MS = 500  # under the least redis_timeout_seconds


class Mirror(Followed):
    """The fields of a hash. Names have no spaces, values no line ends. It raises RedisError and OSError."""

    def __init__(self, redis: Redis, key: str, snapshot: Path | None = None) -> None:
        self._redis = redis
        self._key = key
        self._changes = f"{key}:changes"
        self._held: dict[bytes, bytes] = {}
        self._snapshot = Snapshot(snapshot, self._lines)
        self._seen = b"0-0"
        self.known = False  # from Redis or from the snapshot

    def __len__(self) -> int:
        return len(self._held)

    def get(self, name: str) -> bytes | None:
        """Return the value of a name as of the last change read."""
        return self._held.get(name.encode(errors="replace"))

    def values(self) -> list[bytes]:
        """Return all values."""
        return list(self._held.values())

    async def load(self) -> None:
        """Read all from Redis; when it does not answer, from the snapshot."""
        try:
            await self._load_all()
        except (RedisError, OSError) as error:
            log.warning("mirror_from_snapshot", key=self._key, error=str(error))
            self._load_snapshot()

    async def put(self, fields: Mapping[str, bytes]) -> None:
        """Set fields, in all collectors."""
        for part in _parts(fields.items()):
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hset(self._key, mapping=dict(part))
                self._tell(pipe, (name for name, _ in part))
                await pipe.execute()
            self._held |= {name.encode(): value for name, value in part}

    async def remove(self, names: Iterable[str]) -> int:
        """Forget names, in all collectors; return how many there were."""
        gone = 0
        for part in _parts(names):
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hdel(self._key, *part)
                self._tell(pipe, part)
                gone += (await pipe.execute())[0]
            for name in part:
                self._held.pop(name.encode(), None)
        return gone

    def _tell(self, pipe: Any, names: Iterable[str]) -> None:
        pipe.xadd(self._changes, {"names": " ".join(names)}, maxlen=_CHANGES_KEPT)

    async def _load_all(self) -> None:
        last: Any = await self._redis.xrevrange(self._changes, count=1)
        held: dict[bytes, bytes] = {}
        cursor: Any = None
        while cursor != 0:
            part: Any
            cursor, part = await self._redis.hscan(self._key, cursor or 0, count=_AT_ONCE)
            held |= part
        self._seen = last[0][0] if last else b"0-0"
        self._held = held
        self.fresh = self.known = True
        self._snapshot.note()

    async def _follow(self) -> None:
        answer: Any = await self._redis.xread({self._changes: self._seen}, block=_BLOCK_MS, count=_AT_ONCE)
        for _, entries in answer:
            self._snapshot.note()
            for entry, fields in entries:
                await self._refresh(fields[b"names"].split())
                self._seen = entry

    async def _refresh(self, names: list[bytes]) -> None:
        values: Any = await self._redis.hmget(self._key, names)
        for name, value in zip(names, values, strict=True):
            if value is None:
                self._held.pop(name, None)
            else:
                self._held[name] = value

    def _lines(self) -> list[bytes]:
        return [name + b" " + value for name, value in self._held.items()]

    def _load_snapshot(self) -> None:
        lines = self._snapshot.read()
        if lines is not None:
            self.known = True
            self._held = {name: value for name, _, value in (line.partition(b" ") for line in lines) if name}


def _parts(items: Iterable[Item]) -> Iterator[list[Item]]:
    listed = list(items)
    for start in range(0, len(listed), _AT_ONCE):
        yield listed[start : start + _AT_ONCE]
