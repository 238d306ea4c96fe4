"""Bring what was spooled to Redis, oldest first, once, and at a pace that leaves room for live events."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError, ResponseError

from collector import metrics
from collector.store.erased import was_erased
from collector.stream.append import Appended, Mark
from collector.stream.spool import SpoolError
from collector.stream.spool_file import unpack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from collector.stream.partition import Partition
    from collector.stream.spool import Spool
    from collector.stream.spool_file import Parcel, SpoolFile

log = structlog.get_logger()

_PAUSE_SECONDS = 0.5
_ADOPT_SECONDS = 5


class Drain:
    """Empty the spool of one worker; ``partition`` gives the partition of a number.

    ``erased`` tells who was forgotten, and when: what waits of them from before is not stored.
    """

    def __init__(
        self,
        spool: Spool,
        partition: Callable[[int], Partition],
        erased: Callable[[], Awaitable[Mapping[int, float]]],
        *,
        most: int,
    ) -> None:
        self._spool = spool
        self._partition = partition
        self._erased = erased
        self._most = most
        self._careful = False

    async def run(self) -> None:
        """Drain until cancelled."""
        adopted_at = -float(_ADOPT_SECONDS)
        while True:
            try:
                if time.monotonic() - adopted_at >= _ADOPT_SECONDS:
                    adopted_at = time.monotonic()
                    await self._spool.adopt()
                moved = await self._round()
            except SpoolError as error:
                log.warning("spool_unreadable", error=str(error))
                moved = False
            if not moved:
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _round(self) -> bool:
        """Move a slice of each file and partition; tell whether anything moved."""
        moved = False
        for file in self._spool.files:
            for number in await self._spool.partitions(file):
                partition = self._partition(number)
                if partition.open:
                    started = time.monotonic()
                    moved |= await self._move(file, partition)
                    await asyncio.sleep(time.monotonic() - started)  # half of the time belongs to live events
        return moved

    async def _move(self, file: SpoolFile, partition: Partition) -> bool:
        parcels = await self._spool.oldest(file, partition.number, 1 if self._careful else self._most)
        if not parcels:
            return False
        try:
            parcels = await self._replay(file, parcels, partition)
        except (RedisError, OSError) as error:
            if isinstance(error, ResponseError):
                await self._after_refusal(file, parcels, partition)
            return False
        self._careful = False
        await self._spool.remove(file, parcels)
        metrics.REPLAYED.inc(sum(parcel.events for parcel in parcels))
        return True

    async def _replay(self, file: SpoolFile, parcels: list[Parcel], partition: Partition) -> list[Parcel]:
        """Append the parcels as one group; return those that Redis has now, from the first on."""
        erased = await self._erased()
        records = [
            record
            for parcel in parcels
            for record in unpack(parcel.data)
            if not was_erased(record.data, parcel.at, erased)
        ]
        marks = [Mark(file.writer, parcels[0].id, parcels[-1].id)]
        marks += [parcel.mark for parcel in parcels if parcel.mark]
        try:
            await partition.append(records, *marks)
        except Appended as before:
            if len(parcels) > 1:
                return [parcel for parcel in parcels if parcel.id <= before.last]
        return parcels

    async def _after_refusal(self, file: SpoolFile, parcels: list[Parcel], partition: Partition) -> None:
        """Find out whether Redis refuses everything or one parcel; that one is set aside."""
        self._careful = True
        await partition.check()
        if partition.well and len(parcels) == 1:
            await self._spool.set_aside(file, parcels[0])
