"""Forget what every group has read and nobody needs to keep: never blindly, never what is unread.

Beside the events there are streams of what went wrong; those are kept for people to look at, within a bound.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError

from collector import metrics
from collector.stream.consumer import DEAD
from collector.stream.groups import Group, list_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from collector.store import Names, Redis
    from collector.stream.pressure import Pressure

log = structlog.get_logger()

_EVERY_SECONDS = 30
_HALVE_FROM = 0.75  # of maxmemory: a stream that nobody reads gives way before events must be shed
QUARANTINE = "quarantine"
_ASIDE = {QUARANTINE, DEAD}
_ASIDE_ENTRIES = 10_000  # of a partition, in each of the streams of what went wrong
_ASIDE_BYTES = 64 * 1024**2


class Retention:
    """Trim the streams; ``hours`` tells how long each one's events are kept once they are read."""

    def __init__(
        self,
        redis: Redis,
        names: Names,
        pressure: Pressure,
        *,
        partitions: int,
        hours: Callable[[], Mapping[str, int]],
    ) -> None:
        self._redis = redis
        self._names = names
        self._pressure = pressure
        self._partitions = partitions
        self._hours = hours
        self.groups: list[Group] = []

    async def run(self) -> None:
        """Trim until cancelled."""
        while True:
            try:
                await self.trim()
            except (RedisError, OSError) as error:
                log.warning("retention_waits", error=str(error))
            await asyncio.sleep(_EVERY_SECONDS)

    async def trim(self) -> None:
        """Trim every stream once. Raises redis.exceptions.RedisError, OSError."""
        found: list[Group] = []
        unread: list[str] = []
        for stream, hours in self._hours().items():
            for partition in range(self._partitions):
                groups = await list_groups(self._redis, self._names, stream, partition)
                await self._trim(stream, partition, hours, groups)
                unread += [] if groups else [self._names.stream(partition, stream)]
                found += groups
        await self._make_room(unread)
        await self._bound()
        gone = [replace(group, lag=0, age=0) for group in self.groups]
        self.groups = found
        for group in gone + found:
            labels = (group.stream, str(group.partition), group.name)
            metrics.GROUP_AGE.labels(*labels).set(group.age)
            metrics.GROUP_LAG.labels(*labels).set(-1 if group.lag is None else group.lag)

    async def _trim(self, stream: str, partition: int, hours: int, groups: list[Group]) -> None:
        key = self._names.stream(partition, stream)
        oldest_kept = f"{int((time.time() - hours * 3600) * 1000)}-0"
        needed = [group.needs for group in groups if group.needs]
        await self._redis.xtrim(key, minid=min([oldest_kept, *needed], key=_order), approximate=True)

    async def _make_room(self, unread: Sequence[str]) -> None:
        """Halve the largest stream that no group reads, so that a loud source takes no room of others."""
        if self._pressure.used < _HALVE_FROM or not unread:
            return
        sizes = [await self._size(key) for key in unread]
        largest = unread[sizes.index(max(sizes))]
        log.warning("unread_stream_halved", key=largest, bytes=max(sizes))
        await self._halve(largest)

    async def _bound(self) -> None:
        """Keep the last entries of the streams of what went wrong, whoever has read them."""
        for stream in _ASIDE - self._hours().keys():
            for partition in range(self._partitions):
                key = self._names.stream(partition, stream)
                await self._redis.xtrim(key, maxlen=_ASIDE_ENTRIES, approximate=True)
                if await self._size(key) > _ASIDE_BYTES:
                    await self._halve(key)

    async def _size(self, key: str) -> int:
        return int(await self._redis.memory_usage(key) or 0)

    async def _halve(self, key: str) -> None:
        length: Any = await self._redis.xlen(key)
        await self._redis.xtrim(key, maxlen=length // 2, approximate=True)


def _order(entry: str) -> tuple[int, int]:
    ms, _, number = entry.partition("-")
    return int(ms), int(number)
