"""The files of the spool: owned by one, adopted when orphaned, set aside when damaged."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from collector.stream.append import Mark
from collector.stream.spool import Spool, SpoolError
from collector.stream.spool_file import Parcel, pack, unpack
from tests.stream.conftest import record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def parcel(number: int, *, partition: int = 0, mark: Mark | None = None) -> Parcel:
    return Parcel(partition, 1000.0 + number, 1, pack([record(number)]), mark)


@asynccontextmanager
async def open_spool(folder: Path) -> AsyncIterator[Spool]:
    spool = Spool(folder, most_bytes=10**6, least_free_bytes=0)
    await spool.start()
    yield spool
    await spool.stop()


async def orphan(folder: Path, *parcels: Parcel) -> Path:
    """Leave a file as a worker does that ended with parcels in its spool."""
    async with open_spool(folder) as spool:
        for each in parcels:
            await spool.put(each)
        return spool.files[0].path


async def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    mark = Mark("writer", 7, 7)
    await orphan(tmp_path, parcel(1, mark=mark))
    async with open_spool(tmp_path) as spool:
        await spool.adopt()
        (found,) = await spool.oldest(spool.files[0], 0, 100)

        assert unpack(found.data) == [record(1)]
        assert found.mark == mark
        assert spool.oldest_at == 1001.0


async def test_parcels_go_together_up_to_the_limit_and_one_with_a_mark_goes_alone(tmp_path: Path) -> None:
    async with open_spool(tmp_path) as spool:
        for number, mark in enumerate([None, None, None, Mark("w", 1, 1), None]):
            await spool.put(parcel(number, mark=mark))
        await spool.put(parcel(9, partition=1))
        sizes = []
        while found := await spool.oldest(spool.files[0], 0, 2):
            sizes.append(len(found))
            await spool.remove(spool.files[0], found)

        assert sizes == [2, 1, 1, 1]
        assert await spool.partitions(spool.files[0]) == [1]


async def test_an_orphan_is_adopted_by_one_worker_only(tmp_path: Path) -> None:
    await orphan(tmp_path, parcel(1))
    async with open_spool(tmp_path) as first, open_spool(tmp_path) as second:
        await first.adopt()
        await second.adopt()

        assert (first.events, second.events) == (1, 0)


async def test_a_living_workers_file_is_left_alone(tmp_path: Path) -> None:
    async with open_spool(tmp_path) as owner, open_spool(tmp_path) as other:
        await owner.put(parcel(1))
        await other.adopt()

        assert other.events == 0


async def test_a_drained_file_gives_its_room_back(tmp_path: Path) -> None:
    async with open_spool(tmp_path) as spool:
        await spool.put(parcel(1))
        await spool.remove(spool.files[0], await spool.oldest(spool.files[0], 0, 10))
        await spool.adopt()

        assert not list(tmp_path.glob("*.db*"))
        await spool.put(parcel(2))
        assert spool.events == 1


async def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "old.db").write_bytes(b"broken " * 1000)
    async with open_spool(tmp_path) as spool:
        await spool.adopt()
        await spool.put(parcel(1))

        assert (tmp_path / "old.db.damaged").exists()
        assert spool.events == 1


async def test_a_file_that_breaks_in_the_middle_is_set_aside(tmp_path: Path) -> None:
    path = await orphan(tmp_path, *(parcel(number) for number in range(500)))
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xff" * (len(data) - 8192)
    path.write_bytes(data)
    async with open_spool(tmp_path) as spool:
        await spool.adopt()
        for file in spool.files:
            with pytest.raises(SpoolError):
                await spool.oldest(file, 0, 1000)

        assert list(tmp_path.glob("*.damaged"))
        assert spool.events == 0


async def test_a_parcel_whose_bytes_changed_is_set_aside_and_the_next_is_given(tmp_path: Path) -> None:
    path = await orphan(tmp_path, parcel(1), parcel(2))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE parcels SET data = x'00' WHERE id = 1")
    db.close()
    async with open_spool(tmp_path) as spool:
        await spool.adopt()
        first = await spool.oldest(spool.files[0], 0, 10)
        second = await spool.oldest(spool.files[0], 0, 10)

        assert first == []
        assert [unpack(each.data) for each in second] == [[record(2)]]
