"""One cell of the table: a contender under load, what it and the server cost, and whether all is there."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import load
from benchmarks.process import cpu_seconds, memory_bytes

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from benchmarks.contender import Contender

_WARM_UP_SECONDS = 1
_WINDOW_SECONDS = 3  # ends before the load does: the load counts whole seconds


class LostError(Exception):
    """What was acknowledged and what is in the stream differ: the figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one contender did at one batch size; CPU is in microseconds per acknowledged event."""

    contender: str
    events_a_hit: int
    own_cpu: float
    server_cpu: float
    events_a_second: float
    p50_ms: float
    p99_ms: float
    memory_mib: float


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    events: int
    own_cpu: float
    server_cpu: float


async def measure(contender: Contender, redis: Redis, server_pid: int, events_a_hit: int) -> Figures:
    """Return the figures of a contender. Raises LostError unless each acknowledged event is there once."""
    await redis.unlink(contender.stream)
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(load.send(contender.url, events_a_hit))
        await asyncio.sleep(_WARM_UP_SECONDS)
        before = await _sample(contender, redis, server_pid)
        await asyncio.sleep(_WINDOW_SECONDS)
        after = await _sample(contender, redis, server_pid)
        memory = memory_bytes(contender.pid)
    seen = sending.result()
    require_all(contender, seen, events_a_hit, await redis.xlen(contender.stream))
    events = after.events - before.events
    return Figures(
        contender=contender.name,
        events_a_hit=events_a_hit,
        own_cpu=(after.own_cpu - before.own_cpu) * 1e6 / events,
        server_cpu=(after.server_cpu - before.server_cpu) * 1e6 / events,
        events_a_second=events / (after.at - before.at),
        p50_ms=seen.p50_ms,
        p99_ms=seen.p99_ms,
        memory_mib=memory / 1024**2,
    )


async def _sample(contender: Contender, redis: Redis, server_pid: int) -> _Sample:
    events = await redis.xlen(contender.stream)
    return _Sample(time.monotonic(), events, cpu_seconds(contender.pid), cpu_seconds(server_pid))


def require_all(contender: Contender, seen: load.Seen, events_a_hit: int, stored: int) -> None:
    """Raise LostError unless every event of every answered hit is in the stream once."""
    acknowledged = seen.hits * events_a_hit
    if seen.failed or stored != acknowledged:
        raise LostError(
            f"{contender.name}, {events_a_hit} a hit: {acknowledged} events acknowledged, {stored} stored,"
            f" {seen.failed} hits failed. No figures."
        )
