"""Appending: each id once in its window, order kept, groups joined, nothing said before Redis has it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from collector.store import Names
from collector.stream import Record, Stream
from collector.stream.append import digest

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from collector.settings import Settings


def record(event_id: str, visitor: str = "v", **fields: object) -> Record:
    known = {"stream": "events", "source": "web1", "type": "page", "window": 3600, "data": event_id.encode()}
    return Record(visitor=visitor, id=event_id, **{**known, **fields})  # type: ignore[arg-type]


async def test_an_id_is_appended_once_also_within_one_group(redis: Redis, settings: Settings) -> None:
    stream = Stream(redis, Names(settings.namespace), settings)
    await stream.start()

    receipts = await stream.append([record("a"), record("b"), record("a")])
    again = await stream.append([record("a"), record("c")])
    await stream.stop()

    assert [receipt.verdict for receipt in receipts] == ["stored", "stored", "duplicate"]
    assert [receipt.verdict for receipt in again] == ["duplicate", "stored"]
    assert await redis.xlen(Names(settings.namespace).stream(0)) == 3


async def test_an_id_is_its_sources_own_also_within_one_group(redis: Redis, settings: Settings) -> None:
    stream = Stream(redis, Names(settings.namespace), settings)
    await stream.start()

    receipts = await stream.append([record("a"), record("a", source="web2"), record("a")])
    again = await stream.append([record("a", source="web3"), record("a", source="web2"), record("b")])
    await stream.stop()

    assert [receipt.verdict for receipt in receipts] == ["stored", "stored", "duplicate"]
    assert [receipt.verdict for receipt in again] == ["stored", "duplicate", "stored"]


async def test_hits_that_arrive_together_are_appended_in_order(redis: Redis, settings: Settings) -> None:
    stream = Stream(redis, Names(settings.namespace), settings)
    await stream.start()

    await asyncio.gather(*(stream.append([record(f"{n}-a"), record(f"{n}-b")]) for n in range(300)))
    await stream.stop()

    rows = await redis.xrange(Names(settings.namespace).stream(0))
    assert [f"{n}-{part}".encode() for n in range(300) for part in "ab"] == [row[b"event"] for _, row in rows]


async def test_partitions_keep_one_visitor_in_order_and_spread_many(redis: Redis, settings: Settings) -> None:
    settings = settings.model_copy(update={"partitions": 4})
    names = Names(settings.namespace)
    stream = Stream(redis, names, settings)
    await stream.start()

    receipts = await stream.append([record(f"{n}", visitor=f"v{n % 20}") for n in range(200)])
    await stream.stop()

    assert all(receipt.entry for receipt in receipts)
    seen: dict[int, list[int]] = {}
    used = 0
    for partition in range(4):
        rows = await redis.xrange(names.stream(partition))
        used += bool(rows)
        for _, row in rows:
            seen.setdefault(int(row[b"event"]) % 20, []).append(int(row[b"event"]))
    assert used == 4
    assert all(numbers == sorted(numbers) and len(numbers) == 10 for numbers in seen.values())


async def test_a_source_may_name_its_own_stream(redis: Redis, settings: Settings) -> None:
    names = Names(settings.namespace)
    stream = Stream(redis, names, settings)
    await stream.start()

    await stream.append([record("a"), record("b", stream="shop")])
    await stream.stop()

    assert [await redis.xlen(names.stream(0, name)) for name in ("events", "shop")] == [1, 1]


async def test_a_forgotten_script_is_loaded_again(redis: Redis, settings: Settings) -> None:
    stream = Stream(redis, Names(settings.namespace), settings)
    await stream.start()
    await stream.append([record("a")])
    await redis.script_flush()

    assert (await stream.append([record("b")]))[0]
    await stream.stop()


async def test_ids_are_remembered_as_numbers_of_eight_bytes(redis: Redis, settings: Settings) -> None:
    stream = Stream(redis, Names(settings.namespace), settings)
    await stream.start()

    await stream.append([record(f"id-{n}") for n in range(2000)])
    await stream.stop()

    keys = [key async for key in redis.scan_iter(f"{Names(settings.namespace).ids(0)}:*")]
    assert {b"intset"} == {await redis.object("encoding", key) for key in keys}
    assert min([await redis.ttl(key) for key in keys]) > 0


@pytest.mark.parametrize("text", ["", "a", "\u20ac" * 100])
def test_a_digest_is_a_signed_64_bit_number(text: str) -> None:
    assert -(2**63) <= digest(text) < 2**63
