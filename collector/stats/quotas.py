"""The events of a day and a month that a source may take: counted by all collectors together, in Redis.

Each adds up what it took and writes it once a second, so a quota can be passed by what comes in that time.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from collector.model import KEPT, Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collector.model import Outcome, Source
    from collector.store import Names, Redis

_EVERY_SECONDS = 1
_KEPT_SECONDS = 33 * 24 * 3600  # longer than any month
_LONGEST_WAIT_SECONDS = 3600  # somebody may raise the quota


class Quotas:
    """What sources with a quota have taken, as far as this process knows."""

    def __init__(self, redis: Redis, names: Names, now: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._names = names
        self._now = now
        self._known: dict[tuple[str, str], int] = {}
        self._unwritten: Counter[tuple[str, str]] = Counter()

    def admit(self, source: Source) -> None:
        """Raise Refusal quota_exceeded when a source has taken all that it may in its day or month (UTC)."""
        if not (source.quota_day or source.quota_month):
            return
        now = datetime.fromtimestamp(self._now(), UTC)
        for period, quota in _periods(source, now):
            taken = (source.id, period)
            self._unwritten.setdefault(taken, 0)  # asked for, so that others' events are known
            if self._known.get(taken, 0) + self._unwritten[taken] >= quota:
                wait = min(_LONGEST_WAIT_SECONDS, _seconds_to_midnight(now))
                raise Refusal(Reason.QUOTA_EXCEEDED, retry_after=wait)

    def took(self, source: Source, outcomes: Iterable[Outcome]) -> None:
        """Count the events that were kept."""
        if source.quota_day or source.quota_month:
            number = sum(outcome.verdict in KEPT for outcome in outcomes)
            for period, _ in _periods(source, datetime.fromtimestamp(self._now(), UTC)):
                self._unwritten[source.id, period] += number

    async def run(self) -> None:
        """Write and read until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Add what was taken to the sums of all; while Redis is away this process' own sums stand."""
        if not self._unwritten:
            return
        told = dict(self._unwritten)
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for (source, period), number in told.items():
                    pipe.incrby(self._names.quota(source, period), number)
                    pipe.expire(self._names.quota(source, period), _KEPT_SECONDS)
                answers = await pipe.execute()
        except (RedisError, OSError):
            return
        self._unwritten.subtract(told)
        self._unwritten = Counter({key: number for key, number in self._unwritten.items() if number})
        self._known = self._current() | dict(zip(told, answers[::2], strict=True))

    def _current(self) -> dict[tuple[str, str], int]:
        """Return the sums without those of days and months that have passed."""
        now = datetime.fromtimestamp(self._now(), UTC)
        periods = {f"{now:%Y%m%d}", f"{now:%Y%m}"}
        return {key: sum_ for key, sum_ in self._known.items() if key[1] in periods}


def _periods(source: Source, now: datetime) -> list[tuple[str, int]]:
    named = ((f"{now:%Y%m%d}", source.quota_day), (f"{now:%Y%m}", source.quota_month))
    return [(period, quota) for period, quota in named if quota]


def _seconds_to_midnight(now: datetime) -> int:
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((tomorrow - now).total_seconds()) + 1
