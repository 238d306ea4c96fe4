"""Read events through a consumer group: every partition, each batch acknowledged once its work is done.

    async with Redis.from_url(url, protocol=2) as redis:
        consumer = Consumer(redis, Names(), "warehouse")
        async for batch in consumer:
            await load(delivery.event for delivery in batch)

A batch is acknowledged when the next one is asked for. When the body raises, or the process dies, it is
delivered again, to whichever consumer of the group is alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError, ResponseError

from collector.tasks import running

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from collector.store import Names, Redis

log = structlog.get_logger()

_PAUSE_SECONDS = 0.1
_RETRY_SECONDS = 0.5
DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch is full: so many events or bytes of JSON, or so many seconds after its first event."""

    events: int = 1000
    size: int = 8 * 1024**2
    seconds: float = 1


@dataclass(frozen=True, slots=True)
class Delivery:
    """An entry of the stream: ``event`` is its JSON, ``key`` and ``entry`` are where it lies."""

    key: str
    entry: str
    source: str
    type: str
    event: bytes


class Consumer:
    """One consumer of a group, over all partitions of a stream.

    ``idle_seconds`` is how long a consumer may give no sign of life before others take over its entries;
    working on a batch for longer is no matter. An entry that was delivered ``deliveries`` times without being
    acknowledged goes to the stream ``dead`` of its partition. With ``gather`` batches are filled up to these
    limits, exceeded by one reading at most; otherwise a batch is what there is.
    """

    def __init__(
        self,
        redis: Redis,
        names: Names,
        group: str,
        *,
        stream: str = "events",
        partitions: int = 1,
        most: int = 100,
        idle_seconds: float = 60,
        deliveries: int = 5,
        gather: Limits | None = None,
    ) -> None:
        self._redis = redis
        self._group = group
        self._keys = {
            names.stream(number, stream): names.stream(number, DEAD) for number in range(partitions)
        }
        self._most = most
        self._idle_seconds = idle_seconds
        self._deliveries = deliveries
        self._limits = gather
        self._stopping = asyncio.Event()
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"

    def stop(self) -> None:
        """End the iteration after the batch at hand, which is still acknowledged."""
        self._stopping.set()

    async def __aiter__(self) -> AsyncGenerator[list[Delivery], None]:
        """Yield batches, oldest first; waits while there is nothing, and while Redis is away."""
        await self._insist(self._join)
        while not self._stopping.is_set():
            batch = await self._insist(self._next)
            if not batch:
                await self.rest(_PAUSE_SECONDS)
                continue
            async with running(self._hold(batch)):
                if self._limits:
                    await self._fill(batch, self._limits)
                yield batch
            await self._insist(lambda batch=batch: self._acknowledge(batch))  # type: ignore[misc]
        await self._leave()

    async def bury(self, delivery: Delivery, why: str) -> None:
        """Set an event aside in the stream ``dead`` for good; ``why`` stands beside it."""
        await self._insist(lambda: self._bury(delivery, why))

    async def rest(self, seconds: float) -> bool:
        """Wait, or less when asked to stop; tell whether to stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    async def _fill(self, batch: list[Delivery], limits: Limits) -> None:
        """Read on until the batch is full; what Redis delivers twice meanwhile is in it once."""
        end = time.monotonic() + limits.seconds
        there = {(each.key, each.entry) for each in batch}
        size = sum(len(each.event) for each in batch)
        while len(batch) < limits.events and size < limits.size and (left := end - time.monotonic()) > 0:
            more: list[Delivery] = await self._insist(self._next) or []
            fresh = [each for each in more if (each.key, each.entry) not in there]
            there.update((each.key, each.entry) for each in fresh)
            size += sum(len(each.event) for each in fresh)
            batch.extend(fresh)
            if self._stopping.is_set() or (not more and await self.rest(min(_PAUSE_SECONDS, left))):
                return

    async def _insist(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Do the work, again and again while Redis is away. Returns None when stopped meanwhile."""
        while True:
            try:
                return await work()
            except (RedisError, OSError) as error:
                log.warning("consumer_waits", group=self._group, error=str(error))
                if self._stopping.is_set():
                    return None
                await asyncio.sleep(_RETRY_SECONDS)

    async def _join(self) -> None:
        for key in self._keys:
            try:
                await self._redis.xgroup_create(key, self._group, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def _next(self) -> list[Delivery]:
        try:
            batch = await self._abandoned()
        except ResponseError as error:
            batch = await self._rejoin(error)
        if batch:
            return batch
        answers = await asyncio.gather(*(self._fresh(key) for key in self._keys))
        return [delivery for answer in answers for delivery in answer]

    async def _fresh(self, key: str) -> list[Delivery]:
        try:
            answer: Any = await self._redis.xreadgroup(self._group, self.name, {key: ">"}, count=self._most)
        except ResponseError as error:
            return await self._rejoin(error)
        return [_delivery(key, row) for _, rows in answer for row in rows]

    async def _rejoin(self, error: ResponseError) -> list[Delivery]:
        """Make the group anew when it was dropped by an operator, or a replica that took over lacks it."""
        if "NOGROUP" not in str(error):
            raise error
        await self._join()
        return []

    async def _abandoned(self) -> list[Delivery]:
        """Take over what a dead consumer left; what was delivered too often is set aside."""
        idle_ms = int(self._idle_seconds * 1000)
        taken: list[Delivery] = []
        for key in self._keys:
            pending: Any = await self._redis.xpending_range(
                key, self._group, "-", "+", self._most, idle=idle_ms
            )
            often = {row["message_id"] for row in pending if row["times_delivered"] >= self._deliveries}
            ids = [row["message_id"] for row in pending]
            rows: Any = await self._redis.xclaim(key, self._group, self.name, idle_ms, ids) if ids else []
            for row in rows:
                if row[0] in often:
                    await self._bury(_delivery(key, row), f"Delivered {self._deliveries} times in vain.")
                else:
                    taken.append(_delivery(key, row))
        return taken

    async def _bury(self, delivery: Delivery, why: str) -> None:
        log.error("event_buried", group=self._group, key=delivery.key, entry=delivery.entry, why=why)
        fields: Any = {
            "source": delivery.source,
            "type": delivery.type,
            "event": delivery.event,
            "group": self._group,
            "entry": delivery.entry,
            "why": why,
        }
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(self._keys[delivery.key], fields)
            pipe.xack(delivery.key, self._group, delivery.entry)
            await pipe.execute()

    async def _hold(self, batch: Sequence[Delivery]) -> None:
        """Give signs of life while the caller works, so that nobody takes the batch over."""
        while True:
            await asyncio.sleep(self._idle_seconds / 3)
            with contextlib.suppress(RedisError, OSError):
                for key, entries in _by_key(batch).items():
                    await self._redis.xclaim(key, self._group, self.name, 0, entries, justid=True)

    async def _acknowledge(self, batch: Sequence[Delivery]) -> None:
        for key, entries in _by_key(batch).items():
            await self._redis.xack(key, self._group, *entries)

    async def _leave(self) -> None:
        """Take this consumer's name out of the group; everything it had is acknowledged."""
        with contextlib.suppress(RedisError, OSError):
            for key in self._keys:
                if not await self._redis.xpending_range(key, self._group, "-", "+", 1, self.name):
                    await self._redis.xgroup_delconsumer(key, self._group, self.name)


def _delivery(key: str, row: tuple[bytes, dict[bytes, bytes]]) -> Delivery:
    entry, fields = row
    source, kind = (fields.get(name, b"").decode(errors="replace") for name in (b"source", b"type"))
    return Delivery(key, entry.decode(), source, kind, fields.get(b"event", b""))


def _by_key(batch: Sequence[Delivery]) -> dict[str, list[Any]]:
    entries: dict[str, list[Any]] = {}
    for delivery in batch:
        entries.setdefault(delivery.key, []).append(delivery.entry)
    return entries
