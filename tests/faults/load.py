"""The load and the judge: what was acknowledged is an obligation, and the judge looks for each of them."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from collector.store import Names
from collector.stream.consumer import Consumer

if TYPE_CHECKING:
    from redis.asyncio import Redis

_SENDERS = 4
_BATCH = 5
_PAUSE_SECONDS = 0.01
_SETTLE_SECONDS = 60
_QUIET_SECONDS = 5


@dataclass(slots=True)
class Load:
    """Browsers that send batches one after the other, and again what was not acknowledged."""

    address: str
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    refusals: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Begin to send."""
        self._tasks = [asyncio.create_task(self._send(sender)) for sender in range(_SENDERS)]

    async def stop(self) -> None:
        """Make no new events; what is not acknowledged is sent again until it is, or time is over."""
        self._stopping.set()
        await asyncio.wait_for(asyncio.gather(*self._tasks), _SETTLE_SECONDS)

    async def repeat(self, number: int) -> None:
        """Send acknowledged events once more, as a client does that has not heard the answer."""
        ids = sorted(self.acknowledged)[:number]
        async with aiohttp.ClientSession() as session:
            await self._post(session, 0, ids)

    async def _send(self, sender: int) -> None:
        timeout = aiohttp.ClientTimeout(total=10)
        # A connection for each request: the system spreads them over the workers.
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            while not self._stopping.is_set():
                ids = [f"{sender}-{next(self._numbers)}" for _ in range(_BATCH)]
                self.sent.update(ids)
                while not await self._post(session, sender, ids):
                    await asyncio.sleep(0.3)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _post(self, session: aiohttp.ClientSession, sender: int, ids: list[str]) -> bool:
        batch = [
            {"type": "track", "event": "Fault", "messageId": each, "properties": payload(each)}
            for each in ids
        ]
        body = orjson.dumps({"batch": batch, "anonymousId": f"visitor{sender}"})
        try:
            async with session.post(self.address, data=body) as answer:
                await answer.read()
                if answer.status == 204:
                    self.acknowledged.update(ids)
                    return True
                self.refusals[answer.headers.get("X-Headwater-Reason", "no reason")] += len(ids)
        except (aiohttp.ClientError, TimeoutError):
            self.unanswered += len(ids)
        return False


def payload(event_id: str) -> dict[str, str]:
    """Return the properties that belong to an id."""
    return {"proof": hashlib.sha256(event_id.encode()).hexdigest() * 4}


@dataclass(slots=True)
class Verdict:
    """What the judge found: each is a number of events."""

    acknowledged: int
    missing: int
    invented: int
    damaged: int
    duplicated: int
    refused: int
    without_reason: int
    recovery_seconds: float = 0.0
    peak_mib: float = 0.0


class Judge:
    """Read the whole stream through a consumer group of its own, and compare."""

    def __init__(self, redis: Redis, partitions: int = 1) -> None:
        self._redis = redis
        self._partitions = partitions
        self._reader = self.read("judge")

    def read(self, group: str) -> Reader:
        """Begin to read the stream from its beginning."""
        return Reader(self._redis, group, self._partitions)

    async def settle(self, load: Load) -> None:
        """Wait until all that was acknowledged has been seen, or nothing comes any more."""
        before, since = -1, time.monotonic()
        while load.acknowledged - self._reader.seen.keys() and time.monotonic() - since < _QUIET_SECONDS:
            if before != self._reader.seen.total():
                before, since = self._reader.seen.total(), time.monotonic()
            await asyncio.sleep(0.05)

    async def verdict(self, load: Load) -> Verdict:
        """Read all that is there now, from the beginning: a failover may have lost what was read before."""
        await self._reader.end()
        final = self.read("verdict")
        await final.end()
        return Verdict(
            acknowledged=len(load.acknowledged),
            missing=len(load.acknowledged - final.seen.keys()),
            invented=len(final.seen.keys() - load.sent),
            damaged=final.damaged,
            duplicated=final.seen.total() - len(final.seen),
            refused=load.refusals.total(),
            without_reason=load.refusals["no reason"],
        )


async def settled(seen: Counter[str], pause: float) -> None:
    """Wait until nothing new was seen for a pause, in seconds."""
    before = -1
    while before != seen.total():
        before = seen.total()
        await asyncio.sleep(pause)


class Reader:
    """A consumer that notes how many entries it saw of each event; an entry delivered again is one."""

    def __init__(self, redis: Redis, group: str, partitions: int) -> None:
        self._consumer = Consumer(redis, Names(), group, partitions=partitions, most=1000)
        self._entries: set[tuple[str, str]] = set()
        self.seen: Counter[str] = Counter()
        self.damaged = 0
        self._task = asyncio.create_task(self._read())

    async def end(self) -> None:
        """Read what may come late, and end."""
        await settled(self.seen, 0.5)
        self._consumer.stop()
        await self._task

    async def _read(self) -> None:
        async for batch in self._consumer:
            for delivery in batch:
                if (delivery.key, delivery.entry) in self._entries:
                    continue
                self._entries.add((delivery.key, delivery.entry))
                event: Any = orjson.loads(delivery.event)
                self.seen[event["messageId"]] += 1
                self.damaged += event["properties"] != payload(event["messageId"])
