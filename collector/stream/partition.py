"""One partition's way to safety: Redis within the time limit, else the spool.

After a failure nothing waits for Redis until a probe, a real write, has succeeded.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import BusyLoadingError, RedisError, ResponseError

from collector import metrics
from collector.stream.append import SPOOLED, Appended, Mark, Receipt
from collector.stream.spool_file import Parcel, pack
from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.stream.append import Record
    from collector.stream.engine import Appends
    from collector.stream.pressure import Pressure
    from collector.stream.spool import Spool

log = structlog.get_logger()

_IDLE_SECONDS = 5


class Partition:
    """Make groups of records safe. ``well`` tells whether the last write to Redis succeeded."""

    def __init__(self, appender: Appends, spool: Spool, pressure: Pressure, *, limit_seconds: float) -> None:
        self._appender = appender
        self._spool = spool
        self._pressure = pressure
        self._limit_seconds = limit_seconds
        self._renew_mark()
        self._probe = Mark(secrets.token_hex(8), 0, 0)
        self.number = appender.partition
        self.well = True
        self.trouble = ""
        self.written_at = -math.inf

    @property
    def open(self) -> bool:
        """Whether events go to Redis: it takes them, and its memory has room."""
        return self.well and not self._pressure.shedding

    async def place(self, records: Sequence[Record], waited_seconds: float) -> list[Receipt]:
        """Return what became of each record once all are safe. Raises SpoolError when they cannot be."""
        mark = None
        if self.open and waited_seconds < self._limit_seconds:
            mark = self._next_mark()
            try:
                return await self.append(records, mark)
            except Appended:  # a client for clusters sends again by itself
                return [Receipt("stored")] * len(records)
            except (RedisError, OSError):
                self._renew_mark()  # the group may yet arrive: its number must stay the writer's last
        data = pack(records)
        await self._spool.put(Parcel(self.number, time.time(), len(records), data, mark))
        return [SPOOLED] * len(records)

    async def append(self, records: Sequence[Record], *marks: Mark) -> list[Receipt]:
        """Append to Redis within the time limit. Raises Appended, redis.exceptions.RedisError, OSError."""
        try:
            async with asyncio.timeout(self._limit_seconds):
                receipts = await self._appender.append(records, *marks)
        except Appended:
            self._succeeded()
            raise
        except (RedisError, OSError) as error:
            self._failed(error)
            raise
        self._succeeded()
        return receipts

    async def check(self) -> None:
        """Write when there was no write for a while, or when the last one failed: a probe, a sign of life."""
        if self.well and time.monotonic() - self.written_at < _IDLE_SECONDS:
            return
        try:
            self._probe = replace(self._probe, first=self._probe.first + 1, last=self._probe.last + 1)
            await self.append((), self._probe)
        except Appended:
            return
        except (RedisError, OSError):
            return

    def _next_mark(self) -> Mark:
        self._number += 1
        return Mark(self._writer, self._number, self._number)

    def _renew_mark(self) -> None:
        self._writer = secrets.token_hex(8)
        self._number = 0

    def _succeeded(self) -> None:
        if not self.well:
            log.info("redis_well", partition=self.number)
        self.well, self.trouble = True, ""
        self.written_at = time.monotonic()

    def _failed(self, error: Exception) -> None:
        self.trouble = _told(error)
        metrics.FAILURES.labels(type(error).__name__).inc()
        if self.well:
            log.error("redis_failing", partition=self.number, error=f"{type(error).__name__}: {error}")
        self.well = False


def _told(error: Exception) -> str:
    """Return what Redis says, or that it says nothing; where it is asked is not for everybody to see."""
    return why(error) if isinstance(error, (ResponseError, BusyLoadingError)) else "no answer"
