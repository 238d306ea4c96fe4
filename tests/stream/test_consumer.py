"""Consumers: everything once, in order, acknowledged when done; what the dead left is taken over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from collector.store import Names
from collector.stream import Stream
from collector.stream.consumer import Consumer
from collector.stream.groups import drop_group, list_groups
from collector.stream.pressure import Pressure
from collector.stream.retention import Retention
from tests.conftest import until
from tests.stream.conftest import record

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from collector.settings import Settings


async def fill(redis: Redis, settings: Settings, number: int) -> None:
    stream = Stream(redis, Names(settings.namespace), settings)
    await stream.start()
    await stream.append([record(each) for each in range(number)])
    await stream.stop()


def reader(redis: Redis, settings: Settings, **options: object) -> Consumer:
    return Consumer(redis, Names(settings.namespace), "g", **options)  # type: ignore[arg-type]


async def groups(redis: Redis, settings: Settings) -> list[tuple[str, int | None]]:
    found = await list_groups(redis, Names(settings.namespace), "events", 0)
    return [(group.name, group.lag) for group in found]


async def read(consumer: Consumer, number: int) -> list[bytes]:
    """Read until so many events are done, then stop gracefully."""
    seen: list[bytes] = []
    async for batch in consumer:
        seen += [delivery.event for delivery in batch]
        if len(seen) >= number:
            consumer.stop()
    return seen


async def fail(consumer: Consumer) -> None:
    """Take a batch and break off in the middle of it."""
    async for _ in consumer:
        raise ZeroDivisionError


async def test_everything_is_read_once_and_in_order(redis: Redis, settings: Settings) -> None:
    await fill(redis, settings, 250)

    seen = await read(reader(redis, settings), 250)

    assert seen == [record(number).data for number in range(250)]
    assert await groups(redis, settings) == [("g", 0)]


async def test_an_entry_that_others_added_without_our_fields_stops_nobody(
    redis: Redis, settings: Settings
) -> None:
    await redis.xadd(Names(settings.namespace).stream(0), {"source": b"\xff", "text": "hello"})
    await fill(redis, settings, 1)

    assert await read(reader(redis, settings), 2) == [b"", record(0).data]


async def test_a_batch_whose_work_failed_is_delivered_again(redis: Redis, settings: Settings) -> None:
    await fill(redis, settings, 3)
    consumer = reader(redis, settings, idle_seconds=0.2)
    with pytest.raises(ZeroDivisionError):
        await fail(consumer)

    seen = await read(reader(redis, settings, idle_seconds=0.2), 3)

    assert seen == [record(number).data for number in range(3)]


async def test_a_batch_that_takes_long_is_not_taken_over(redis: Redis, settings: Settings) -> None:
    await fill(redis, settings, 1)
    slow, quick = (reader(redis, settings, idle_seconds=0.3) for _ in range(2))
    taken: list[object] = []

    async def watch() -> None:
        taken.extend([batch async for batch in quick])

    async for _ in slow:
        task = asyncio.create_task(watch())
        await asyncio.sleep(1)
        slow.stop()
    quick.stop()
    await task

    assert taken == []
    assert await groups(redis, settings) == [("g", 0)]


async def test_an_event_that_nobody_can_take_is_buried(redis: Redis, settings: Settings) -> None:
    await fill(redis, settings, 1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await fail(reader(redis, settings, idle_seconds=0.05, deliveries=2))
    last = reader(redis, settings, idle_seconds=0.05, deliveries=2)
    task = asyncio.create_task(read(last, 1))
    dead = Names(settings.namespace).stream(0, "dead")

    async def buried() -> int:
        return int(await redis.xlen(dead))

    await until(buried)
    last.stop()

    assert await task == []
    ((_, fields),) = await redis.xrange(dead)
    assert (fields[b"event"], fields[b"group"]) == (record(0).data, b"g")
    assert await groups(redis, settings) == [("g", 0)]


async def test_what_a_group_has_not_acknowledged_is_never_trimmed(redis: Redis, settings: Settings) -> None:
    names = Names(settings.namespace)
    await fill(redis, settings, 1000)
    hours = {"events": 0}
    retention = Retention(redis, names, Pressure(redis), partitions=1, hours=lambda: hours)
    await redis.xgroup_create(names.stream(0), "late", id="0")

    await read(reader(redis, settings), 1000)
    await retention.trim()
    assert await redis.xlen(names.stream(0)) == 1000
    assert [(group.name, group.lag) for group in retention.groups] == [("g", 0), ("late", 1000)]

    hours["events"] = 1
    assert await drop_group(redis, names, "events", 1, "late") == 1
    await retention.trim()
    assert await redis.xlen(names.stream(0)) == 1000

    hours["events"] = 0
    await retention.trim()
    assert await redis.xlen(names.stream(0)) < 200


async def test_a_stream_that_nobody_reads_gives_way_when_memory_is_nearly_full(
    redis: Redis, settings: Settings
) -> None:
    names = Names(settings.namespace)
    await fill(redis, settings, 1000)
    pressure = Pressure(redis)
    retention = Retention(redis, names, pressure, partitions=1, hours=lambda: {"events": 1})

    pressure.used = 0.8
    await retention.trim()
    assert 500 <= await redis.xlen(names.stream(0)) < 700

    await redis.xgroup_create(names.stream(0), "g", id="0")
    before = await redis.xlen(names.stream(0))
    await retention.trim()
    assert await redis.xlen(names.stream(0)) == before


async def test_the_largest_of_the_streams_that_nobody_reads_gives_way(
    redis: Redis, settings: Settings
) -> None:
    """A loud source takes no room of one that has a stream of its own."""
    names = Names(settings.namespace)
    await fill(redis, settings, 1000)
    for _ in range(200):
        await redis.xadd(names.stream(0, "quiet"), {"event": "{}"})
    pressure = Pressure(redis)
    pressure.used = 0.8
    retention = Retention(redis, names, pressure, partitions=1, hours=lambda: {"events": 1, "quiet": 1})
    await retention.trim()

    assert await redis.xlen(names.stream(0)) < 700
    assert await redis.xlen(names.stream(0, "quiet")) == 200


@pytest.mark.parametrize("stream", ["quarantine", "dead"])
async def test_streams_of_what_went_wrong_are_bounded(
    redis: Redis, settings: Settings, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In entries and in bytes, though a group has not read them; but not one that a source has chosen."""
    key = Names(settings.namespace).stream(0, stream)
    monkeypatch.setattr("collector.stream.retention._ASIDE_ENTRIES", 1000)
    async with redis.pipeline(transaction=False) as pipe:
        for _ in range(2000):
            pipe.xadd(key, {"event": "x" * 500})
        await pipe.execute()
    await redis.xgroup_create(key, "g", id="0")
    chosen: dict[str, int] = {stream: 1}
    retention = Retention(
        redis, Names(settings.namespace), Pressure(redis), partitions=1, hours=lambda: chosen
    )
    await retention.trim()
    assert await redis.xlen(key) == 2000

    chosen.clear()
    await retention.trim()
    assert 1000 <= await redis.xlen(key) < 1200

    monkeypatch.setattr("collector.stream.retention._ASIDE_BYTES", 1024)
    await retention.trim()
    assert await redis.xlen(key) < 700
