"""What Kafka alone has: partitions that move, patterns, keys, its own compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from collector.bridges.queue import QueueBridge
from collector.bridges.queue.broker import BrokerError
from collector.bridges.queue.kinds import open_broker
from collector.sources.queue import QueueSettings
from collector.tasks import running as in_background
from tests.conftest import until
from tests.queues.test_queues import event, numbers, source_of

if TYPE_CHECKING:
    from tests.conftest import Running
    from tests.queues.kafka_broker import Kafka

KEYS = 20


@pytest.fixture
async def spread(kafka: Kafka) -> Kafka:
    """Kafka with a topic of four partitions."""
    await kafka.start()
    await kafka.empty(partitions=4)
    return kafka


async def _count(running: Running, count: int) -> bool:
    return len(await running.events()) >= count


async def test_partitions_that_move_between_workers_lose_and_double_nothing_and_keep_each_keys_order(
    running: Running, spread: Kafka
) -> None:
    await running.add(**source_of(spread, prefetch=20))
    second = QueueBridge(running.parts.pipeline, running.parts.queues.states)

    async def publish(first: int) -> None:
        several = range(first, first + 600)
        await spread.produce([(b"k%d" % (n % KEYS), event(n, userId=f"u{n % KEYS}")) for n in several])

    async with in_background(running.parts.queues.run()):
        await publish(0)
        await until(lambda: _count(running, 50))
        async with in_background(second.run()):
            await publish(600)
            await until(lambda: _shared(spread))
            await publish(1200)
            await until(lambda: _count(running, 1300))
        await until(lambda: _count(running, 1800))
    events = await running.events()

    assert sorted(numbers(events)) == list(range(1800))
    for key in range(KEYS):
        of_key = numbers(each for each in events if each["userId"] == f"u{key}")
        assert of_key == sorted(of_key)


async def _shared(kafka: Kafka) -> bool:
    return await kafka.members() == 2


@pytest.mark.parametrize("packed", ["gzip", "lz4", "snappy", "zstd"])
async def test_what_kafka_itself_has_compressed_is_read(spread: Kafka, packed: str) -> None:
    broker = open_broker(QueueSettings(topic="orders", **spread.settings), "w1")
    await spread.produce([(b"k", event(1))], packed=packed)
    await broker.connect()
    try:
        found = await until(broker.fetch)
    finally:
        await broker.close()

    assert [each.body for each in found] == [event(1)]


async def test_a_pattern_reads_what_it_fits_and_the_key_can_be_mapped(
    running: Running, spread: Kafka
) -> None:
    mapping: dict[str, Any] = {"format": "mapping", "event": "{path}", "who": "{header.Kafka-Key}"}
    await running.add(**source_of(spread, **mapping, topic="ord*s"))
    await spread.produce([("jö".encode(), orjson.dumps({"n": 1})), (None, orjson.dumps({"n": 2}))])
    async with in_background(running.parts.queues.run()):
        await until(lambda: _count(running, 2))
    events = await running.events()

    assert {each["event"] for each in events} == {"orders"}
    assert sorted(each.get("userId", "") for each in events) == ["", "jö"]


async def test_a_topic_that_is_not_there_is_said(spread: Kafka) -> None:
    broker = open_broker(QueueSettings(topic="nothing", **spread.settings), "w1")
    with pytest.raises(BrokerError, match="Kafka has no topic nothing"):
        await broker.connect()
    await broker.close()
