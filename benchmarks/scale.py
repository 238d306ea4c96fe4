"""``python -m benchmarks.scale``: how cost and memory grow with workers, partitions, sources, connections.

Needs wrk. Writes docs/scale.md's table, and from it the plan for a billion events a day.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
from redis.asyncio import Redis

from benchmarks import load
from benchmarks.contender import headwater
from benchmarks.process import cpu_seconds, memory_bytes, open_files, running
from benchmarks.report import put
from benchmarks.stages import request
from collector.settings import Settings
from collector.store.embedded import embedded_server

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = "scale.md"
_EVENTS_A_HIT = 10
_WORKERS, _PARTITIONS, _SOURCES, _CONNECTIONS = (2,), (4, 16), (1_000, 100_000), (1_000, 20_000)
_HOLDERS = 2  # workers, and processes that hold connections
_MANY = "connections = 15_000\nconnections_per_address = 15_000\nkeepalive_seconds = 600\n"
_SETTLE_SECONDS = 5
_DAY_SECONDS = 24 * 3600
_A_DAY = 1_000_000_000
_PEAK = 3  # the busiest minutes of a day beside its average
_FILLED = 0.6  # of a core or of memory: beyond that waiting times grow, and nothing is left for a failure
_EDGES = 100  # places where a CDN keeps a copy of its own
_SHARD_BYTES = 32 * 1024**3


@dataclass(frozen=True, slots=True)
class _Cell:
    own: float
    server: float
    mib: float
    bytes_an_event: float


def main() -> None:
    """Print the tables and put them on the page."""
    rows, base = asyncio.run(_run())
    headings = ("what", "number", "own µs an event", "server µs an event", "memory MiB")
    put("benchmarks.scale", headings, rows, page=PAGE)
    put("benchmarks.scale (plan)", ("for a billion events a day", "figure", "from"), _plan(base), page=PAGE)


async def _run() -> tuple[list[tuple[str, ...]], _Cell]:
    base = await _measured()
    rows = [
        _row("all of it alone", 1, base),
        *[_row("workers", each, await _measured("--workers", each)) for each in _WORKERS],
        *[_row("partitions", each, await _measured("--partitions", each)) for each in _PARTITIONS],
        *[_row("sources", each, await _measured(sources=each)) for each in _SOURCES],
        *await _open_connections(),
    ]
    return rows, base


def _row(what: str, number: int, cell: _Cell) -> tuple[str, ...]:
    return (what, f"{number:,}", f"{cell.own:.1f}", f"{cell.server:.1f}", f"{cell.mib:.0f}")


async def _measured(*flags: object, sources: int = 1) -> _Cell:
    """Return what an event costs with these flags, over a few seconds of load."""
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        async with embedded_server(folder) as url, Redis.from_url(url) as redis:
            await redis.config_set("auto-aof-rewrite-percentage", 0)
            server = (await redis.info("server"))["process_id"]
            async with headwater(folder, url, *flags, sources=sources) as ours:
                used = (await redis.info("memory"))["used_memory"]
                own, theirs = cpu_seconds(ours.pid), cpu_seconds(server)
                events = (await load.send(ours.url, _EVENTS_A_HIT)).hits * _EVENTS_A_HIT
                return _Cell(
                    (cpu_seconds(ours.pid) - own) / events * 1e6,
                    (cpu_seconds(server) - theirs) / events * 1e6,
                    memory_bytes(ours.pid) / 1024**2,
                    ((await redis.info("memory"))["used_memory"] - used) / events,
                )


async def _open_connections() -> list[tuple[str, ...]]:
    """Return rows for connections: the memory of each that rests after a hit, or waits with half of one."""
    return [await _connections(kind, number) for kind in ("whole", "half") for number in _CONNECTIONS]


async def _connections(kind: str, number: int) -> tuple[str, ...]:
    """Hold connections open, see that they are, and that one more is answered.

    A process may have open only so many files, so that workers and those who hold share them.
    """
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        (folder / "many.toml").write_text(_MANY, encoding="utf-8")
        flags = ("--config", folder / "many.toml", "--workers", _HOLDERS)
        async with embedded_server(folder) as url, headwater(folder, url, *flags) as ours:
            await asyncio.sleep(_SETTLE_SECONDS)
            before, files = memory_bytes(ours.pid), open_files(ours.pid)
            async with AsyncExitStack() as stack:
                share = number // _HOLDERS
                await asyncio.gather(
                    *(_hold(stack, ours.url, number_each, kind) for number_each in [share] * _HOLDERS)
                )
                await asyncio.sleep(_SETTLE_SECONDS)  # one that is slow goes from the lean way in to aiohttp
                await _require_answer(ours.url)
                grown, held = memory_bytes(ours.pid) - before, open_files(ours.pid) - files
    what = "connections that rest" if kind == "whole" else "connections with half a hit"
    return (what, f"{held:,}", "", "", f"{grown / held / 1024:.1f} KiB each")


async def _hold(stack: AsyncExitStack, url: str, number: int, kind: str) -> None:
    parts = urlsplit(url)
    command = (sys.executable, "-m", "benchmarks.hold", parts.hostname, parts.port, number, kind)
    process = await stack.enter_async_context(running(*command))
    if process.stdout is None or not await process.stdout.readline():
        _, errors = await process.communicate()
        raise RuntimeError(f"connections could not be held: {errors.decode(errors='replace')[-500:]}")


async def _require_answer(url: str) -> None:
    tracker = url.replace("/e/", "/s/") + ".js"
    async with aiohttp.ClientSession() as client, client.get(tracker) as answer:
        answer.raise_for_status()


def _plan(cell: _Cell) -> Sequence[tuple[str, ...]]:
    average = _A_DAY / _DAY_SECONDS
    peak = average * _PEAK
    cores, servers = (peak * cost / 1e6 / _FILLED for cost in (cell.own, cell.server))
    day = _A_DAY * cell.bytes_an_event
    wire = sum(map(len, request(_EVENTS_A_HIT))) / _EVENTS_A_HIT
    fresh = Settings.model_fields["tracker_seconds"].default
    asked = _DAY_SECONDS / fresh * _EDGES / (_A_DAY / _EVENTS_A_HIT)
    return [
        ("events a second, average and peak", f"{average:,.0f} and {peak:,.0f}", f"peak is {_PEAK} times"),
        ("collector workers", f"{cores:.0f}", f"{cell.own:.1f} µs an event, cores filled to {_FILLED:.0%}"),
        ("cores of Redis", f"{servers:.0f}", f"{cell.server:.1f} µs an event, as filled"),
        ("network in, at the peak", f"{peak * wire * 8 / 1e6:,.0f} Mbit/s", f"{wire:,.0f} bytes an event"),
        ("tracker from the CDN", f"{1 - asked:.2%}", f"{_EDGES} edges ask every {fresh} s, one load a hit"),
        ("memory of a day", f"{day / 1024**4:.1f} TiB", f"{cell.bytes_an_event:,.0f} bytes an event"),
        (
            "shards that hold six hours",
            f"{day / 4 / _FILLED / _SHARD_BYTES:.0f}",
            f"{_SHARD_BYTES >> 30} GiB each, filled to {_FILLED:.0%}",
        ),
    ]


if __name__ == "__main__":
    main()
