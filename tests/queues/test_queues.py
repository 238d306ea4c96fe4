"""Messages of real brokers become events, once and in order, whatever breaks."""

from __future__ import annotations

import asyncio
import gzip
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from backports import zstd

from collector import metrics
from collector.bridges.queue.reader import _Seen
from collector.checkup import look_at_redis
from collector.pipeline import Pipeline
from collector.store.connect import connect
from collector.stream import StreamError
from collector.tasks import running as in_background
from tests.conftest import run_collector, until
from tests.faults.servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from redis.asyncio import Redis

    from collector.settings import Settings
    from tests.conftest import Running
    from tests.queues.brokers import Broker

MANY = 300


def event(number: int, **fields: Any) -> bytes:
    """Return an event without an id of its own: only its message tells it from others."""
    return orjson.dumps(
        {"type": "track", "event": "Tick", "userId": "u1", "properties": {"n": number}, **fields}
    )


def source_of(broker: Broker, **settings: Any) -> dict[str, Any]:
    settings = {"topic": "orders", "takeover_seconds": 1, **broker.settings, **settings}
    return {"id": "q1", "name": "Orders", "bridge": "queue", "settings": settings}


async def stored(redis: Redis, namespace: str, name: str = "events") -> list[dict[str, Any]]:
    entries: Any = await redis.xrange(f"{namespace}:{{0}}:{name}")
    return [orjson.loads(fields[b"event"]) for _, fields in entries]


def numbers(events: Iterable[dict[str, Any]]) -> list[int]:
    return [each["properties"]["n"] for each in events]


async def all_read(broker: Broker) -> bool:
    return await broker.waiting() == 0


async def test_each_message_is_one_event_in_order_and_acknowledged(
    running: Running, redis: Redis, broker: Broker
) -> None:
    await running.add(**source_of(broker))
    await broker.publish([event(number) for number in range(MANY)])
    async with in_background(running.parts.queues.run()):
        await until(lambda: _has(redis, running, MANY))
        await until(lambda: all_read(broker))
    events = await stored(redis, running.settings.namespace)

    assert numbers(events) == list(range(MANY))
    assert {each["source"]["id"] for each in events} == {"q1"}
    assert len({each["messageId"] for each in events}) == MANY


async def test_what_cannot_be_read_is_kept_with_its_reason_and_the_good_beside_it_is_stored(
    running: Running, redis: Redis, broker: Broker
) -> None:
    large = event(4, context={"x": "y" * running.settings.server_event_bytes})
    await running.add(**source_of(broker))
    async with in_background(running.parts.queues.run()):
        await until(lambda: _connected(running))
        await broker.publish(
            [
                b"{",
                event(1),
                b"\x1f\x8bno gzip",
                b"[]",
                gzip.compress(event(2)),
                large,
                zstd.compress(event(3)),
            ]
        )
        await until(lambda: _has(redis, running, 3))
        await until(lambda: all_read(broker))
    kept = await stored(redis, running.settings.namespace, "quarantine")

    assert numbers(await stored(redis, running.settings.namespace)) == [1, 2, 3]
    assert [each["reason"] for each in kept] == [
        "not_json",
        "bad_encoding",
        "not_an_object",
        "event_too_large",
    ]
    assert kept[0]["raw"]["body"] == "{"
    assert kept[0]["raw"]["topic"] == "orders"
    assert kept[1]["raw"]["base64"]


async def test_a_message_at_which_the_collector_fails_is_set_aside_after_some_tries(
    running: Running, redis: Redis, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []
    take = Pipeline.take

    async def failing(self: Pipeline, hit: Any, understand: Any) -> Any:
        if hit.body == event(1) and isinstance(understand, _Seen):
            tries.append(hit.id)
            raise ZeroDivisionError
        return await take(self, hit, understand)

    monkeypatch.setattr(Pipeline, "take", failing)
    await running.add(**source_of(broker, tries=2))
    await broker.publish([event(0), event(1), event(2)])
    async with in_background(running.parts.queues.run()):
        await until(lambda: _has(redis, running, 2))
        await until(lambda: all_read(broker))
    kept = await stored(redis, running.settings.namespace, "quarantine")

    assert len(tries) == 2
    assert numbers(await stored(redis, running.settings.namespace)) == [0, 2]
    assert [each["reason"] for each in kept] == ["internal"]


async def test_what_cannot_be_made_safe_is_tried_again_and_not_acknowledged(
    running: Running, redis: Redis, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = type(running.parts.pipeline.stream).append
    refuse = True

    async def full(self: Any, records: Any) -> Any:
        if refuse and records and b'"n":1' in records[0].data:
            raise StreamError("no room")
        return await append(self, records)

    monkeypatch.setattr(type(running.parts.pipeline.stream), "append", full)
    await running.add(**source_of(broker))
    await broker.publish([event(0), event(1), event(2)])
    async with in_background(running.parts.queues.run()):
        await until(lambda: _has(redis, running, 2))
        assert await broker.waiting() == 3
        refuse = False
        await until(lambda: all_read(broker))

    assert sorted(numbers(await stored(redis, running.settings.namespace))) == [0, 1, 2]


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
async def test_messages_beyond_the_quota_of_their_source_wait_with_the_broker(
    running: Running, redis: Redis, broker: Broker
) -> None:
    await running.add(**source_of(broker), quota_day=1)
    await broker.publish([event(0)])
    async with in_background(running.parts.queues.run()):
        await until(lambda: _has(redis, running, 1))
        await until(lambda: all_read(broker))
        await broker.publish([event(1)])
        await until(lambda: _waits(running))
        text = running.parts.queues.readers["q1"][0].text
        waiting = await broker.waiting()

    assert text.startswith("The source has taken all")
    assert waiting == 1
    assert numbers(await stored(redis, running.settings.namespace)) == [0]


async def _waits(running: Running) -> bool:
    return running.parts.queues.readers["q1"][0].state == "waiting"


async def test_a_broker_that_is_away_is_shown_and_read_again_when_it_is_back(
    running: Running, redis: Redis, broker: Broker
) -> None:
    await running.add(**source_of(broker))
    async with in_background(running.parts.queues.run()):
        await until(lambda: _connected(running))
        await broker.publish([event(number) for number in range(50)])
        await until(lambda: _has(redis, running, 50))
        broker.kill()
        found = await until(lambda: _finding(redis, running, "away"))
        gauge = metrics.QUEUE_CONNECTED.labels("q1")._value.get()
        await broker.start()
        await broker.publish([event(number) for number in range(50, 100)])
        await until(lambda: all_read(broker))
        await until(lambda: _finding(redis, running, "reading"))

    assert "q1" in found
    assert "is away for" in found
    assert gauge == 0
    assert numbers(await stored(redis, running.settings.namespace)) == list(range(100))


async def test_a_source_that_is_switched_off_is_not_read_and_one_that_is_changed_is_read_anew(
    running: Running, redis: Redis, broker: Broker
) -> None:
    await running.add(**source_of(broker))
    catalogue = running.parts.catalogue
    async with in_background(running.parts.queues.run()):
        await until(lambda: _connected(running))
        await catalogue.change("q1", {"enabled": False})
        await until(lambda: _gone(running))
        await broker.publish([event(1)])
        await catalogue.change("q1", {"enabled": True, "settings": {"prefetch": 5}})
        await until(lambda: _has(redis, running, 1))

    assert running.parts.queues.readers == {}


async def test_a_worker_that_is_killed_loses_and_doubles_nothing(
    settings: Settings, redis: Redis, running: Running, broker: Broker, tmp_path: Path
) -> None:
    many = 2000
    await running.add(**source_of(broker, prefetch=20))
    await broker.publish([event(number) for number in range(many)])
    worker = _worker(settings, tmp_path / "first")
    await until(lambda: _has(redis, running, 100))
    worker.kill()
    worker.wait()
    left = await broker.waiting()
    worker = _worker(settings, tmp_path / "second")
    try:
        await until(lambda: all_read(broker))
    finally:
        worker.terminate()

    assert worker.wait(20) == 0
    assert left > 0
    assert sorted(numbers(await stored(redis, settings.namespace))) == list(range(many))


async def test_messages_wait_with_the_broker_while_redis_is_away(
    settings: Settings, broker: Broker, tmp_path: Path
) -> None:
    server = Server(tmp_path / "own").start()
    changed = {"redis_url": server.url, "redis_timeout_seconds": 1}
    try:
        async with (
            run_collector(settings.model_copy(update=changed)) as running,
            connect(server.url, 5) as redis,
        ):
            await running.add(**source_of(broker, prefetch=20))
            async with in_background(running.parts.queues.run()):
                await broker.publish([event(number) for number in range(100)])
                await until(lambda: _has(redis, running, 20))
                server.kill()
                await broker.publish([event(number) for number in range(100, 200)])
                await until(lambda: _strained(running))
                await asyncio.sleep(0.5)
                held = await broker.waiting()
                await asyncio.to_thread(server.start)
                await until(lambda: all_read(broker))
                await until(lambda: _has(redis, running, 200))
            found = numbers(await stored(redis, settings.namespace))
    finally:
        server.close()

    assert held >= 40  # the rest was on its way
    assert sorted(found) == list(range(200))


async def _has(redis: Redis, running: Running, count: int) -> bool:
    return int(await redis.xlen(running.names.stream(0))) >= count


async def _connected(running: Running) -> bool:
    return any(reader.state == "reading" for reader, _ in running.parts.queues.readers.values())


async def _gone(running: Running) -> bool:
    return not running.parts.queues.readers


async def _strained(running: Running) -> bool:
    return running.parts.pipeline.strained


async def _finding(redis: Redis, running: Running, state: str) -> str:
    found = [each for each in await look_at_redis(redis, running.settings) if each.name == "queue"]
    told = (
        each.text for each in found if f" is {state} " in each.text and each.right == (state == "reading")
    )
    return next(told, "")


def _worker(settings: Settings, data: Path) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": os.environ["PATH"],
        "HEADWATER_DATA": str(data),
        "HEADWATER_REDIS_URL": settings.redis_url,
        "HEADWATER_NAMESPACE": settings.namespace,
    }
    command = [sys.executable, "-m", "collector", "worker", "queues"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
