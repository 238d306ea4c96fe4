"""What counting costs: CPU time of an event in memory, of a second's write, and the bytes of a busy source.

``python -m benchmarks.stats``
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from collector.model import Event, Outcome
from collector.stats import Counters
from collector.store import Names
from collector.store.embedded import embedded_server

_EVENTS = 20_000
_SECONDS = 20


def main() -> None:
    """Print the figures."""
    asyncio.run(_run())


async def _run() -> None:
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        async with embedded_server(Path(folder)) as url, Redis.from_url(url) as redis:
            counters = Counters(redis, Names("bench"))
            for name, different in (("typical: 50 pages, 500 visitors", 50), ("worst: each is new", _EVENTS)):
                await redis.flushall()
                await _measure(redis, counters, name, different)


async def _measure(redis: Redis, counters: Counters, name: str, different: int) -> None:
    in_memory = written = 0.0
    server = await _server_cpu(redis)
    for second in range(_SECONDS):
        events = [_event(second * _EVENTS + number, different) for number in range(_EVENTS // _SECONDS)]
        outcomes = [Outcome(0, "stored")] * len(events)
        started = time.process_time()
        counters.events("web1", events, outcomes)
        counted = time.process_time()
        await counters.flush()
        in_memory += counted - started
        written += time.process_time() - counted
        counters._parcels.clear()  # noqa: SLF001
    server = await _server_cpu(redis) - server
    used = sum([await redis.memory_usage(key) async for key in redis.scan_iter()])
    print(
        f"{name}: {in_memory / _EVENTS * 1e6:.1f} µs an event in memory, and at {_EVENTS // _SECONDS} events"
        f" a second {written / _SECONDS * 1e3:.1f} ms a second to write, {server / _SECONDS * 1e3:.1f} ms of"
        f" the server; {used / 1024:.0f} KiB kept"
    )


async def _server_cpu(redis: Redis) -> float:
    info: Any = await redis.info("cpu")
    return float(info["used_cpu_user"] + info["used_cpu_sys"])


def _event(number: int, different: int) -> Event:
    context = {
        "page": {"path": f"/products/{number % different}"},
        "browser": {"name": ("Chrome", "Firefox", "Safari")[number % 3]},
        "device": {"type": "phone"},
        "location": {"country": "CH"},
        "referrer": {"medium": "search", "source": "Google"},
        "campaign": {"source": "news", "medium": "email", "name": "spring"},
    }
    visitor = f"visitor-{number % (different * 10):032d}"
    return Event(0, "id", "page", visitor, {"type": "page", "context": context})


main()
