"""The reader of one source: fetches, takes, acknowledges, and begins anew when the broker was away."""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog
from multidict import CIMultiDict

from collector import metrics
from collector.bridges.queue.broker import BrokerError, InSessions
from collector.bridges.queue.kinds import open_broker
from collector.bridges.queue.naming import Naming
from collector.bridges.queue.packed import unpacked
from collector.model import Hit, Reason, Refusal
from collector.protocols.message import dead_letter, message
from collector.store import RedisError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from collector.bridges.queue.broker import Broker, Message
    from collector.model import Outcome, Source
    from collector.pipeline import Pipeline
    from collector.protocols import Batch, Limits, Protocol
    from collector.sources.queue import QueueSettings
    from collector.store.queues import QueueStates

log = structlog.get_logger()

_Done = TypeVar("_Done")

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_LOOK_SECONDS = 0.2
_REDIS_AWAY = "Redis does not take events; messages wait with the broker"
_ATTRIBUTE = ("ce_", "cloudevents:", "cloudevents_")  # how Kafka and AMQP carry what HTTP has in ce-


class Reader:
    """Reads the messages of a source. ``state`` is connecting, reading, waiting or away."""

    def __init__(self, source: Source, pipeline: Pipeline, states: QueueStates, worker: str) -> None:
        self.source = source
        self.state = "connecting"
        self.text = ""
        self.since = time.time()
        self._settings: QueueSettings = source.settings
        self._pipeline = pipeline
        self._naming = Naming(states, source.id)
        self._worker = worker
        self._protocol = message(self._settings.format, self._settings.plan)
        self._failures = 0

    async def run(self) -> None:
        """Read until cancelled, whatever becomes of the broker."""
        while True:
            try:
                await self._read()
            except BrokerError as error:
                self._now("away", str(error))
            except Exception:  # a fault in here must not end the reading for good
                log.exception("queue_failed", source=self.source.id)
                self._now("away", "The collector failed; the fault is logged.")
            self._failures += 1
            await asyncio.sleep(min(_FIRST_PAUSE_SECONDS * 2**self._failures, _LONGEST_PAUSE_SECONDS))

    async def _read(self) -> None:
        broker = open_broker(self._settings, self._worker)
        try:
            await broker.connect()
            if isinstance(broker, InSessions) and broker.is_new:
                await self._insist(self._naming.forget)
            while True:
                await self._calm()
                await self.pass_on(broker)
        finally:
            with contextlib.suppress(BrokerError):
                await broker.close()

    async def pass_on(self, broker: Broker) -> int:
        """Take the next messages, acknowledge them once safe, and return how many. Raises BrokerError."""
        messages = await broker.fetch()
        self._failures = 0
        if messages:
            if not all(each.id for each in messages):
                messages = await self._insist(partial(self._naming.name, messages))
            await self._take_all(messages)
            await broker.done(messages)
            with contextlib.suppress(RedisError, OSError):  # what is not forgotten does no harm
                await self._naming.acknowledged(messages)
            metrics.QUEUE_MESSAGES.labels(self.source.id).inc(len(messages))
        return len(messages)

    async def _insist(self, work: Callable[[], Awaitable[_Done]]) -> _Done:
        """Do what needs the ids of messages; waits while Redis, which remembers them, is away."""
        while True:
            try:
                return await work()
            except (RedisError, OSError):
                self._now("waiting", _REDIS_AWAY)
                await asyncio.sleep(_LOOK_SECONDS)

    async def _calm(self) -> None:
        """Wait while the stream is strained: what is not fetched is safe with the broker."""
        while self._pipeline.strained:
            self._now("waiting", _REDIS_AWAY)
            await asyncio.sleep(_LOOK_SECONDS)
        self._now("reading", "")

    async def _take_all(self, messages: Sequence[Message]) -> None:
        """Make messages safe, together and in their order; from the first that could not be, again."""
        while messages:
            refusals = await asyncio.gather(*(self._take(each) for each in messages))
            refused = next(((at, refusal) for at, refusal in enumerate(refusals) if refusal), None)
            if refused is None:
                return
            messages = messages[refused[0] :]
            await self._wait_for(refused[1])

    async def _wait_for(self, refusal: Refusal) -> None:
        """Wait for what a message was refused for, a rate or a quota as long as it asks, within bounds."""
        if refusal.reason is Reason.STREAM_UNAVAILABLE:
            await asyncio.sleep(_LOOK_SECONDS)
            await self._calm()
            return
        self._now("waiting", refusal.message)
        await asyncio.sleep(min(refusal.retry_after or 0, _LONGEST_PAUSE_SECONDS))

    async def _take(self, each: Message) -> Refusal | None:
        """Return None once a message is safe, as events or as a dead letter; else what it has to wait for."""
        hit, refusal = self._hit(each)
        try:
            if refusal:
                await self._pipeline.take(hit, dead_letter(refusal))
            else:
                await self._try(hit)
        except Refusal as error:
            if error.retry_after is None:
                raise
            return error
        return None

    async def _try(self, hit: Hit) -> None:
        for number in range(1, self._settings.tries + 1):
            try:
                seen = _Seen(self._protocol)
                outcomes = await self._pipeline.take(hit, seen)
            except Refusal:
                raise
            except Exception:  # a fault in here, perhaps one that only this message meets
                log.exception("message_failed", source=self.source.id, id=hit.id, number=number)
                await asyncio.sleep(_FIRST_PAUSE_SECONDS * number)
            else:
                if lost := seen.lost(outcomes):
                    await self._pipeline.take(hit, dead_letter(lost))
                return
        await self._pipeline.take(hit, dead_letter(Refusal(Reason.INTERNAL)))

    def _hit(self, each: Message) -> tuple[Hit, Refusal | None]:
        """Return a message as a hit, and why it cannot be read, if it is compressed and broken."""
        headers = CIMultiDict({_http_name(name): value for name, value in each.headers.items()})
        now = time.time_ns() // 1_000_000
        limit = self._pipeline.settings.server_body_bytes
        body, refusal = unpacked(each.body, limit)
        return Hit(self.source, now, body, headers=headers, path=each.topic, id=each.id), refusal

    def _now(self, state: str, text: str) -> None:
        if state != self.state:
            log.info("queue_state", source=self.source.id, state=state, text=text)
            self.since = time.time()
        self.state, self.text = state, text
        metrics.QUEUE_CONNECTED.labels(self.source.id).set(state != "away")


class _Seen:
    """A protocol that remembers what it made of the message."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._batch: Batch | None = None

    def __call__(self, hit: Hit, limits: Limits) -> Batch:
        self._batch = self._protocol(hit, limits)
        return self._batch

    def lost(self, outcomes: Sequence[Outcome]) -> Refusal | None:
        """Return why an event is neither stored nor kept as refused: nobody would send it again."""
        kept = self._batch.raw if self._batch else {}
        left = (each.refusal for each in outcomes if each.refusal and each.index not in kept)
        return next(left, None)


def _http_name(name: str) -> str:
    for start in _ATTRIBUTE:
        if name.lower().startswith(start):
            return f"ce-{name[len(start) :]}"
    return name
