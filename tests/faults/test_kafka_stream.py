"""With Kafka as the engine of the stream: the same promise, under the same faults."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from tests.faults.load import Judge, payload, settled
from tests.faults.rig import rig
from tests.faults.test_faults import kept

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from redis.asyncio import Redis

    from tests.faults.load import Reader, Verdict
    from tests.faults.servers import Server
    from tests.queues.kafka_broker import Kafka

    Note = Callable[[str, Verdict], None]

TOPIC = "headwater.events"
_WARM_SECONDS = 1.0


@pytest.fixture
async def stream(kafka: Kafka) -> Kafka:
    """Kafka with a topic of three partitions for the events."""
    await kafka.start()
    await kafka.make_anew(TOPIC, 3)
    return kafka


class TopicReader:
    """Reads the whole topic, and notes how many messages there are of each event."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self.seen: Counter[str] = Counter()
        self.partitions: dict[str, set[int]] = {}
        self.damaged = 0
        self._task = asyncio.create_task(self._read())

    async def end(self) -> None:
        """Read what may come late, and end."""
        await settled(self.seen, 1)
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _read(self) -> None:
        await asyncio.sleep(0)
        options: dict[str, Any] = {"bootstrap_servers": self._kafka.url, "auto_offset_reset": "earliest"}
        async with AIOKafkaConsumer(TOPIC, **options) as consumer:
            async for message in consumer:
                event: Any = orjson.loads(message.value)
                self.seen[event["messageId"]] += 1
                told = dict(message.headers)
                self.damaged += event["properties"] != payload(event["messageId"])
                self.damaged += told["id"] != event["messageId"].encode() or told["source"] != b"web1"
                self.partitions.setdefault(event["anonymousId"], set()).add(message.partition)


def judging(kafka: Kafka) -> Callable[[Redis, int], Judge]:
    """Return a judge's maker who looks into Kafka."""

    class KafkaJudge(Judge):
        def read(self, _group: str) -> Reader:
            made: Any = TopicReader(kafka)
            return made

    return KafkaJudge


def options(kafka: Kafka) -> dict[str, Any]:
    return {"judging": judging(kafka), "stream": f"kafka://{kafka.url}"}


@pytest.mark.parametrize("fault", ["Kafka killed", "Kafka stopped", "Redis, which has the ids, killed"])
async def test_what_keeps_the_events_or_their_ids_breaks(
    server: Server, stream: Kafka, tmp_path: Path, seconds: float, note: Note, fault: str
) -> None:
    broken, mend = {
        "Kafka killed": (stream.kill, stream.start),
        "Kafka stopped": (stream.pause, stream.start),
        "Redis, which has the ids, killed": (server.kill, partial(asyncio.to_thread, server.start)),
    }[fault]
    async with rig(tmp_path / "data", server, **options(stream)) as run:
        await asyncio.sleep(_WARM_SECONDS)
        broken()
        await asyncio.sleep(seconds)
        await mend()
        verdict = await run.judged()
    note(f"Kafka as the stream: {fault} and back", verdict)
    kept(verdict)


async def test_a_collector_is_killed_and_a_client_sends_again(
    server: Server, stream: Kafka, tmp_path: Path, note: Note
) -> None:
    async with rig(tmp_path / "data", server, **options(stream)) as run:
        await asyncio.sleep(_WARM_SECONDS)
        run.collector.kill(run.collector.pids[0])
        await run.collector.start()
        await asyncio.sleep(_WARM_SECONDS)
        await run.load.repeat(50)
        verdict = await run.judged()
    note("Kafka as the stream: collector killed", verdict)

    # What Kafka had and Redis did not remember yet is twice: each sender had one batch on its way.
    assert (verdict.missing, verdict.invented, verdict.damaged) == (0, 0, 0)
    assert verdict.duplicated <= 4 * 5
