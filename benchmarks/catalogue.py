"""``python -m benchmarks.catalogue``: what many sources cost a collector that is running.

Each number has a process of its own, for the memory. What holds hits up is the longest wait of a clock
that ticks beside the work. Needs nothing but the server that the collector brings.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import generate_latest
from redis.asyncio import Redis

from benchmarks.process import memory_bytes
from benchmarks.report import put
from collector import metrics
from collector.sources import Catalogue, check_form
from collector.sources.form import dump, to_source
from collector.store import Names
from collector.store.embedded import embedded_server
from collector.tasks import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

PAGE = "scale.md"
_SOURCES = (1_000, 10_000, 100_000)
_CHANGES = 20
_TICK_SECONDS = 0.001
_AT_ONCE = 1_000
_HEADINGS = (
    "sources",
    "load, CPU ms",
    "KiB a source",
    "load again, CPU ms",
    "it holds hits up, ms",
    "a change, CPU ms",
    "a change holds hits up, ms",
    "scrape, CPU ms",
    "scrape, MiB",
)


def main() -> None:
    """Print the table and put it on the page."""
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
        put("benchmarks.catalogue", _HEADINGS, [*processes.map(_row, _SOURCES)], page=PAGE)


def _row(number: int) -> tuple[str, ...]:
    return asyncio.run(_measured(number))


async def _measured(number: int) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        async with embedded_server(Path(name)) as url, Redis.from_url(url) as redis:
            names = Names("bench")
            await fill(redis, names, number)
            before = memory_bytes(os.getpid())
            catalogue = Catalogue(redis, names, Path(name) / "sources.snapshot")
            first = await _cost(catalogue.load)
            grown = memory_bytes(os.getpid()) - before
            async with _longest_wait() as held_up:
                again = await _cost(catalogue.load)
            async with running(catalogue.watch()), _longest_wait() as waits:
                change = await _cost(lambda: _change(redis, names, catalogue))
            size, scrape = await _scraped(number)
    return (
        f"{number:,}",
        f"{first:,.0f}",
        f"{grown / number / 1024:.1f}",
        f"{again:,.0f}",
        f"{max(held_up) * 1000:,.0f}",
        f"{change / _CHANGES:,.1f}",
        f"{max(waits) * 1000:,.0f}",
        f"{scrape:,.0f}",
        f"{size / 1024**2:.1f}",
    )


async def fill(redis: Redis, names: Names, number: int) -> None:
    """Put web sources down as they are stored: added one by one, a hundred thousand take minutes."""
    for first in range(0, number, _AT_ONCE):
        rows = {
            f"many-{each}": _stored(f"many-{each}") for each in range(first, min(first + _AT_ONCE, number))
        }
        await redis.hset(names.sources, mapping=rows)


def _stored(source_id: str, version: int = 1) -> bytes:
    form = check_form({"id": source_id, "name": f"Benchmark, version {version}", "bridge": "web"})
    return dump(to_source(form, created="2026-01-01T00:00:00.000Z", updated="", version=version))


async def _change(redis: Redis, names: Names, catalogue: Catalogue) -> None:
    """Change sources one by one as another collector would; return when all of it has been followed."""
    for number in range(_CHANGES):
        await redis.hset(names.sources, f"many-{number}", _stored(f"many-{number}", 2))
        entry = await redis.xadd(names.changes, {"id": f"many-{number}", "what": "change"})
        while catalogue.seen != entry.decode():  # noqa: ASYNC110 - it follows within milliseconds
            await asyncio.sleep(_TICK_SECONDS)


async def _scraped(number: int) -> tuple[int, float]:
    """Return the bytes of a scrape once each source has taken an event, and its cost."""
    for each in range(number):
        metrics.taken(f"many-{each}", "native", ("stored",))
    began = time.process_time()
    size = len(generate_latest())
    return size, (time.process_time() - began) * 1000


async def _cost(work: Callable[[], Awaitable[None]]) -> float:
    """Return the milliseconds of CPU time that work takes."""
    began = time.process_time()
    await work()
    return (time.process_time() - began) * 1000


@asynccontextmanager
async def _longest_wait() -> AsyncIterator[list[float]]:
    """Yield the waits of a clock beside the work, in CPU seconds: others' work does not count."""
    waits = [0.0]

    async def tick() -> None:
        while True:
            began = time.process_time()
            await asyncio.sleep(_TICK_SECONDS)
            waits.append(time.process_time() - began)

    async with running(tick()):
        yield waits


if __name__ == "__main__":
    main()
