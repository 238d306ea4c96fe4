"""The stream: events in, safe when it returns."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from zlib import crc32

from redis.exceptions import RedisError

from collector.stream.append import Appender, Record
from collector.stream.commit import Committer
from collector.stream.refused import RefusedLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.settings import Settings
    from collector.store import Names, Redis

__all__ = ["Record", "RefusedLog", "Stream", "StreamError"]


class StreamError(Exception):
    """The events are not safe: Redis did not take them."""


class Stream:
    """The partitions of the event stream behind one door."""

    def __init__(self, redis: Redis, names: Names, settings: Settings) -> None:
        self._committers = [
            Committer(
                Appender(redis, names, partition),
                most=settings.group_events,
                wait_seconds=settings.group_wait_ms / 1000,
            )
            for partition in range(settings.partitions)
        ]

    async def start(self) -> None:
        """Begin to commit."""
        for committer in self._committers:
            await committer.start()

    async def stop(self) -> None:
        """Commit what waits, then end."""
        for committer in self._committers:
            await committer.stop()

    async def append(self, records: Sequence[Record]) -> list[str | None]:
        """Append records; return each one's entry id, None where its id was seen before.

        One visitor's records stay in order. Raises StreamError when not all of them are safe.
        """
        parts: dict[int, list[int]] = {}
        for at, record in enumerate(records):
            parts.setdefault(self._partition(record), []).append(at)
        try:
            answers = await asyncio.gather(
                *(
                    self._committers[part].commit([records[at] for at in places])
                    for part, places in parts.items()
                )
            )
        except (RedisError, OSError) as error:
            raise StreamError(str(error)) from error
        entries: list[str | None] = [None] * len(records)
        for places, answer in zip(parts.values(), answers, strict=True):
            for at, entry in zip(places, answer, strict=True):
                entries[at] = entry
        return entries

    def _partition(self, record: Record) -> int:
        return crc32(record.visitor.encode()) % len(self._committers)
