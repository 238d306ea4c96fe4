"""Kafka as the engine of the stream: an idempotent producer, all replicas, the visitor as the key.

Kafka forgets no event and knows no ids; Redis remembers those that Kafka has. What is in doubt, since Kafka
has not answered in time, is waited for before anything follows it, so that a replay finds its ids.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError
from redis.exceptions import RedisError, ResponseError

from collector.store.kafka import CONNECT_SECONDS, KafkaError, place_of, stop_consumer
from collector.stream.append import Receipt
from collector.stream.kafka_ids import Ids
from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from collector.store import Names, Redis
    from collector.stream.append import Mark, Record
    from collector.stream.engine import Appends

log = structlog.get_logger()

_BATCH_BYTES = 900_000  # less than what brokers take unless told otherwise
_ANSWER_MS = 30_000
EVENTS = "events"
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
_DUPLICATE = Receipt("duplicate")


class KafkaAwayError(OSError):
    """Kafka does not take events at the moment; the message says why in one sentence."""


class KafkaEngine:
    """One producer for all partitions; a producer that has failed is not trusted again."""

    def __init__(self, redis: Redis, names: Names, address: str) -> None:
        self._place = place_of(address)
        self._redis = redis
        self._names = names
        self._producer: Any = None
        self._opening = asyncio.Lock()
        self._known: set[str] = set()  # topics that are there

    def appender(self, partition: int) -> Appends:
        """Return the end of a partition."""
        return _Appender(self, Ids(self._redis, self._names, partition), partition)

    async def stop(self) -> None:
        """Let what is on its way arrive, and close."""
        await self._close()

    async def send(self, records: Sequence[Record]) -> list[Exception | None]:
        """Return for each record None once all replicas have it, else why not. Raises KafkaAwayError."""
        async with self._trusted():
            await self._ensure({self._names.topic(each.stream) for each in records})
            producer = await self._ready()
        faults = await self._send_with(producer, records)
        if any(each and not isinstance(each, _TOO_LARGE) for each in faults):
            await self._close()
        return faults

    async def _send_with(self, producer: Any, records: Sequence[Record]) -> list[Exception | None]:
        """Send records in their order up to the first that is not taken; wait for all, whatever fails."""
        sent: list[Any] = []
        fault: Exception | None = None
        try:
            for each in records:
                sent.append(await producer.send(**self._message(each)))  # noqa: PERF401 - a part of them counts
        except (KafkaError, OSError, TimeoutError) as error:
            fault = error
        ends = await asyncio.gather(*sent, return_exceptions=True)
        faults = [each if isinstance(each, Exception) else None for each in ends]
        return faults + [fault] * (len(records) - len(faults))

    async def look(self) -> None:
        """See whether Kafka is there. Raises KafkaAwayError."""
        async with self._trusted():
            await self._ensure({self._names.topic(EVENTS)})
            await (await self._ready()).client.fetch_all_metadata()

    @asynccontextmanager
    async def _trusted(self) -> AsyncIterator[None]:
        """Trust the producer no longer once Kafka has failed. Raises KafkaAwayError."""
        try:
            yield
        except KafkaAwayError:
            raise
        except (KafkaError, OSError, TimeoutError) as error:
            await self._close()
            raise KafkaAwayError(why(error)) from None

    async def _ensure(self, topics: set[str]) -> None:
        """Make topics that are missing, each like that of the events, which must be there."""
        if topics <= self._known:
            return
        async with self._admin() as admin:
            there = set(await admin.list_topics())
            if (main := self._names.topic(EVENTS)) not in there:
                raise KafkaAwayError(f"Kafka has no topic {main}: make it.")
            (about,) = await admin.describe_topics([main])
            parts = about["partitions"]
            made = [NewTopic(each, len(parts), len(parts[0]["replicas"])) for each in topics - there]
            if made:
                await admin.create_topics(made)
        self._known |= topics

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[Any]:
        admin = AIOKafkaAdminClient(**self._place.options)
        try:
            await self._place.start(admin)
            yield admin
        finally:
            await admin.close()

    def _message(self, record: Record) -> dict[str, Any]:
        told = {"id": record.id, "source": record.source, "type": record.type}
        return {
            "topic": self._names.topic(record.stream),
            "key": record.visitor.encode() or None,
            "value": record.data,
            "headers": [(name, value.encode()) for name, value in told.items()],
        }

    async def _ready(self) -> Any:
        async with self._opening:
            if self._producer is None:
                options = {**self._place.options, "request_timeout_ms": _ANSWER_MS}
                producer = AIOKafkaProducer(
                    **options, acks="all", enable_idempotence=True, max_batch_size=_BATCH_BYTES
                )
                try:
                    await self._place.start(producer)
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _close(self) -> None:
        self._known.clear()
        producer, self._producer = self._producer, None
        if producer:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(producer.stop(), CONNECT_SECONDS)
            await producer.client.close()


class _Appender:
    """One partition: its groups follow one another, whatever became of the last one."""

    def __init__(self, engine: KafkaEngine, ids: Ids, partition: int) -> None:
        self._engine = engine
        self._ids = ids
        self._under_way: asyncio.Task[list[Receipt]] | None = None
        self.partition = partition

    async def append(self, records: Sequence[Record], *_marks: Mark) -> list[Receipt]:
        """Append records whose ids are new. Marks are not needed: a replay finds its ids."""
        if self._under_way and not self._under_way.done():
            await asyncio.wait([self._under_way])
        seen = await self._ids.look(records)
        if not records:
            await self._engine.look()
        new = [record for record, known in zip(records, seen, strict=True) if not known]
        fresh = {(record.source, record.id): record for record in new}
        if not fresh:
            return [_DUPLICATE] * len(records)
        self._under_way = asyncio.create_task(self._send(list(fresh.values())))
        self._under_way.add_done_callback(_heard)
        receipts = dict(zip(fresh, await asyncio.shield(self._under_way), strict=True))
        return [receipts.pop((record.source, record.id), _DUPLICATE) for record in records]

    async def _send(self, records: Sequence[Record]) -> list[Receipt]:
        faults = await self._engine.send(records)
        await self._keep([record for record, fault in zip(records, faults, strict=True) if not fault])
        if failed := next(filter(None, faults), None):
            too_large = isinstance(failed, _TOO_LARGE)
            raise ResponseError(str(failed)) if too_large else KafkaAwayError(why(failed))
        return [Receipt("stored")] * len(records)

    async def _keep(self, arrived: Sequence[Record]) -> None:
        """Remember what Kafka has, also of a group of which it has not all: that is sent again."""
        if not arrived:
            return
        try:
            await self._ids.keep(arrived)
        except (RedisError, OSError) as error:  # they are safe; sent again, they would be there twice
            log.warning("ids_not_remembered", events=len(arrived), error=str(error))


async def topics(address: str) -> set[str]:
    """Return the topics that Kafka shows us. Raises KafkaAwayError, StoreError."""
    place = place_of(address)
    consumer = AIOKafkaConsumer(**place.options)
    try:
        await place.start(consumer)
        found: set[str] = await consumer.topics()
    except (KafkaError, OSError, TimeoutError) as error:
        raise KafkaAwayError(why(error)) from None
    finally:
        await stop_consumer(consumer)
    return found


def _heard(task: asyncio.Task[list[Receipt]]) -> None:
    """Take what a task has failed with: who waited for it may have gone."""
    if not task.cancelled():
        task.exception()
