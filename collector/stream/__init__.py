"""The stream: events in, safe when it returns."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING
from zlib import crc32

import structlog

from collector import metrics
from collector.store.erased import erased_people
from collector.stream.append import SPOOLED, Receipt, Record
from collector.stream.commit import Committer
from collector.stream.drain import Drain
from collector.stream.engine import open_engine
from collector.stream.partition import Partition
from collector.stream.pressure import Pressure
from collector.stream.refused import RefusedLog
from collector.stream.retention import QUARANTINE, Retention
from collector.stream.shares import Shares
from collector.stream.spool import Spool, SpoolError
from collector.tasks import end

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from collector.settings import Settings
    from collector.store import Names, Redis
    from collector.stream.groups import Group

__all__ = ["QUARANTINE", "Receipt", "Record", "RefusedLog", "Stream", "StreamError", "StreamState"]

log = structlog.get_logger()

_CHECK_SECONDS = 0.5
_WELL = attrgetter("well")  # asked for at every hit
_MOST_HELD_BYTES = 64 * 1024**2  # of events that wait for their answer


class StreamError(Exception):
    """The events are not safe: neither Redis nor the spool took them."""


@dataclass(frozen=True, slots=True)
class StreamState:
    """How safe events are at the moment. Times are seconds; ``trouble`` is empty while Redis takes events.

    ``policy`` names an eviction policy that Redis must not have, ``refusing`` why the spool takes nothing;
    ``memory_used`` is a share of 1.
    """

    trouble: str
    policy: str
    memory_used: float
    refusing: str
    written_seconds_ago: float
    spool_events: int
    spool_bytes: int
    spool_age: float
    groups: list[Group]


class Stream:
    """The partitions of the event stream behind one door.

    ``hours`` tells for each stream how long its events are kept once every group has read them.
    """

    def __init__(
        self, redis: Redis, names: Names, settings: Settings, hours: Callable[[], Mapping[str, int]] = dict
    ) -> None:
        self._redis = redis
        self._names = names
        self._settings = settings
        self._engine = open_engine(redis, names, settings)
        self._spool = Spool(
            settings.data / "spool",
            most_bytes=settings.spool_bytes,
            least_free_bytes=settings.spool_free_bytes,
        )
        self._shares = Shares(self._spool, most=settings.source_share, spool_bytes=settings.spool_bytes)
        self._pressure = Pressure(redis)
        self._retention = Retention(redis, names, self._pressure, partitions=settings.partitions, hours=hours)
        self._partitions: dict[int, Partition] = {}
        self._committers = [
            Committer(
                self._partition(number).place,
                most=settings.group_events,
                wait_seconds=settings.group_wait_ms / 1000,
            )
            for number in range(settings.partitions)
        ]
        self._held_bytes = 0
        self._held: set[asyncio.Task[list[Receipt]]] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to commit, to watch Redis, and to drain what was spooled before."""
        await self._spool.start()
        await self._check()
        for committer in self._committers:
            await committer.start()
        erased = partial(erased_people, self._redis, self._names)
        drain = Drain(self._spool, self._partition, erased, most=self._settings.group_events)
        work = (self._watch(), drain.run(), self._retention.run())
        self._tasks = [asyncio.create_task(each) for each in work]

    async def stop(self) -> None:
        """Commit what waits, then end."""
        for committer in self._committers:
            await committer.stop()
        for task in self._tasks:
            await end(task)
        await self._engine.stop()
        await self._spool.stop()

    async def append(self, records: Sequence[Record]) -> list[Receipt]:
        """Append records; return what became of each once all are safe.

        One visitor's records stay in order, but for those that wait in the spool: they follow when Redis is
        back. Raises StreamError when not all of them are safe.
        """
        size = sum([len(record.data) for record in records])
        if self._held_bytes + size > _MOST_HELD_BYTES:
            raise StreamError("too many events wait for their answer")
        if self.strained and records and self._shares.full(records[0].source):
            raise StreamError("the source has filled its share of the spool")
        if self._settings.ack != "memory":
            return await self._hold(size, records)
        task = asyncio.create_task(self._hold(size, records))
        self._held.add(task)
        task.add_done_callback(self._release)
        return [Receipt("accepted")] * len(records)

    def waiting(self) -> AsyncIterator[Record]:
        """Return the records that wait in this worker's spool. Raises SpoolError."""
        return self._spool.records()

    @property
    def strained(self) -> bool:
        """Whether senders should come less often: events go to the spool, or are refused."""
        return self._pressure.shedding or not all(map(_WELL, self._partitions.values()))

    @property
    def state(self) -> StreamState:
        """How safe events are at the moment; asks nobody."""
        partitions = self._partitions.values()
        oldest_at = self._spool.oldest_at
        return StreamState(
            trouble=self._trouble(),
            policy=self._pressure.policy,
            memory_used=self._pressure.used,
            refusing=self._spool.refusing,
            written_seconds_ago=time.monotonic() - min(partition.written_at for partition in partitions),
            spool_events=self._spool.events,
            spool_bytes=self._spool.bytes,
            spool_age=max(0.0, time.time() - oldest_at) if oldest_at else 0.0,
            groups=self._retention.groups,
        )

    async def _hold(self, size: int, records: Sequence[Record]) -> list[Receipt]:
        self._held_bytes += size
        try:
            receipts = await self._commit(records)
        except SpoolError as error:
            raise StreamError(str(error)) from error
        finally:
            self._held_bytes -= size
        if SPOOLED in receipts:
            self._shares.note(records[0].source, size)
        return receipts

    def _release(self, task: asyncio.Task[list[Receipt]]) -> None:
        """Tell of events that ack=memory has lost: nobody else waits to hear of it."""
        self._held.discard(task)
        if not task.cancelled() and task.exception():
            log.error("accepted_events_lost", error=str(task.exception()))

    def _trouble(self) -> str:
        if self._pressure.shedding:
            return f"its memory is {self._pressure.used:.0%} full"
        return next((each.trouble for each in self._partitions.values() if not each.well), "")

    def _commit(self, records: Sequence[Record]) -> Awaitable[list[Receipt]]:
        if len(self._committers) == 1:
            return self._committers[0].commit(records)
        parts: dict[int, list[int]] = {}
        for at, record in enumerate(records):
            parts.setdefault(self._number(record), []).append(at)
        if len(parts) == 1:
            return self._committers[next(iter(parts))].commit(records)
        return self._commit_parts(records, parts)

    async def _commit_parts(
        self, records: Sequence[Record], parts: Mapping[int, Sequence[int]]
    ) -> list[Receipt]:
        answers = await asyncio.gather(
            *(self._committers[part].commit([records[at] for at in places]) for part, places in parts.items())
        )
        receipts: dict[int, Receipt] = {}
        for places, answer in zip(parts.values(), answers, strict=True):
            receipts.update(zip(places, answer, strict=True))
        return [receipts[at] for at in range(len(records))]

    def _number(self, record: Record) -> int:
        return crc32(record.visitor.encode()) % len(self._committers)

    def _partition(self, number: int) -> Partition:
        """Return a partition; the spool may hold one that is beyond today's number of them."""
        if number not in self._partitions:
            self._partitions[number] = Partition(
                self._engine.appender(number),
                self._spool,
                self._pressure,
                limit_seconds=self._settings.redis_timeout_seconds,
            )
        return self._partitions[number]

    async def _check(self) -> None:
        checks = [partition.check() for partition in self._partitions.values()]
        await asyncio.gather(self._pressure.look(), *checks)

    async def _watch(self) -> None:
        """Probe partitions that fail, write a sign of life to those that idle, and keep the gauges."""
        while True:
            await self._check()
            state = self.state
            metrics.WELL.set(not state.trouble)
            metrics.SPOOL_EVENTS.set(state.spool_events)
            metrics.SPOOL_BYTES.set(state.spool_bytes)
            metrics.SPOOL_AGE.set(state.spool_age)
            await asyncio.sleep(_CHECK_SECONDS)
