"""Read the numbers: the last hour by minutes, the last day by hours, the last week by days."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from collector.stats.tally import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collector.store import Names, Redis

_MOST = 200  # values that a top list keeps: count.lua
_SHOWN = 10
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_CONTAINERS = {_MINUTE: _HOUR, _HOUR: _DAY, _DAY: 100 * _DAY}


Points: TypeAlias = "list[tuple[int, dict[str, int]]]"


@dataclass(frozen=True, slots=True)
class Report:
    """A span of time: points of ``step`` seconds, and lists made of ``buckets`` of ``span`` seconds each."""

    name: str
    step: int
    span: int
    buckets: int


REPORTS = {
    "hour": Report("hour", _MINUTE, 600, 7),
    "day": Report("day", _HOUR, _HOUR, 24),
    "week": Report("week", _DAY, _DAY, 7),
}


@dataclass(frozen=True, slots=True)
class Top:
    """The values of a dimension that came most often; not ``exact`` when some had to give way."""

    values: list[tuple[str, int]]
    exact: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """What a source took in a report's time; ``points`` are (seconds since 1970, counts by metric)."""

    begin: int
    points: Points
    visitors: int
    tops: dict[str, Top]

    def total(self, metric: str) -> int:
        """Return the sum of a metric over all points."""
        return sum(counts.get(metric, 0) for _, counts in self.points)


class Figures:
    """Ask for the numbers of sources. Every method raises redis.exceptions.RedisError, OSError."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self._redis = redis
        self._names = names

    async def overview(self, source: str, report: Report, now: float | None = None) -> Overview:
        """Return the numbers of a source."""
        now = int(now or time.time())
        last = now // report.span
        buckets = range(last - report.buckets + 1, last + 1)
        begin = buckets[0] * report.span
        prefix = self._names.stats(source)
        async with self._redis.pipeline(transaction=False) as pipe:
            spans = (f"{prefix}:visitors:{report.span}:{bucket}" for bucket in buckets)
            pipe.execute_command("PFCOUNT", *spans)  # redis-py's own refuses on a cluster; this is one slot
            for dimension in DIMENSIONS:
                keys = [f"{prefix}:top:{report.span}:{bucket}:{dimension}" for bucket in buckets]
                pipe.zunion(keys, withscores=True)
            for key in _count_keys(prefix, report.step, begin, now):
                pipe.hgetall(key)
            visitors, *answers = await pipe.execute()
        tops = dict(zip(DIMENSIONS, map(_top, answers), strict=False))
        points = _points(answers[len(DIMENSIONS) :], report.step, begin, now)
        return Overview(begin, points, visitors, tops)

    async def forget(self, source: str) -> None:
        """Delete all numbers of a source that was made for a test."""
        pattern = self._names.stats(source).replace("[", "\\[") + ":*"
        async for key in self._redis.scan_iter(match=pattern, count=1000):
            await self._redis.delete(key)

    async def reasons(self, source: str, days: Iterable[int]) -> dict[int, dict[str, int]]:
        """Return for days, counted since 1970, why events were refused or dropped; nine are kept."""
        prefix, wanted = self._names.stats(source), list(days)
        async with self._redis.pipeline(transaction=False) as pipe:
            for day in wanted:
                pipe.zrange(f"{prefix}:top:{_DAY}:{day}:reasons", 0, -1, withscores=True)
            answers = await pipe.execute()
        return {
            day: {name.decode(): int(number) for name, number in rows}
            for day, rows in zip(wanted, answers, strict=True)
        }

    async def recent(self, sources: Sequence[str], now: float | None = None) -> dict[str, Points]:
        """Return for each source the minutes of the last hour."""
        now = int(now or time.time())
        begin = (now // _MINUTE - 59) * _MINUTE
        keys = [_count_keys(self._names.stats(source), _MINUTE, begin, now) for source in sources]
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in (key for each in keys for key in each):
                pipe.hgetall(key)
            answers = await pipe.execute()
        width = len(keys[0]) if keys else 0
        return {
            source: _points(answers[at * width : (at + 1) * width], _MINUTE, begin, now)
            for at, source in enumerate(sources)
        }

    async def last(self, sources: Sequence[str]) -> dict[str, int]:
        """Return when the last event of each source was counted, in seconds since 1970; 0 for never."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for source in sources:
                pipe.get(f"{self._names.stats(source)}:last")
            answers = await pipe.execute()
        return {source: int(at or 0) for source, at in zip(sources, answers, strict=True)}


def _count_keys(prefix: str, step: int, begin: int, now: int) -> list[str]:
    container = _CONTAINERS[step]
    return [f"{prefix}:counts:{step}:{at}" for at in range(begin // container, now // container + 1)]


def _points(hashes: Iterable[dict[bytes, bytes]], step: int, begin: int, now: int) -> Points:
    found: dict[int, dict[str, int]] = {at: {} for at in range(begin // step, now // step + 1)}
    for each in hashes:
        for name, number in each.items():
            at, _, metric = name.decode().partition(":")
            if int(at) in found:
                found[int(at)][metric] = int(number)
    return [(at * step, counts) for at, counts in found.items()]


def _top(rows: Any) -> Top:
    ranked = sorted(rows, key=lambda row: (-row[1], row[0]))
    values = [(value.decode(errors="replace"), int(score)) for value, score in ranked[:_SHOWN]]
    return Top(values, exact=len(rows) < _MOST)
