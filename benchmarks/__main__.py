"""``make bench``: the collector beside nginx with Lua, on one server, in one run."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis
from rich.console import Console

from benchmarks.contender import headwater, yardstick
from benchmarks.measure import Figures, LostError, measure
from benchmarks.needs import missing
from benchmarks.report import remember, table, write_interpreters, write_page
from collector.store.embedded import embedded_server

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.contender import Contender

_EVENTS_A_HIT = (1, 10, 50)
_ROUNDS = 3


async def _run(console: Console) -> tuple[Sequence[Figures], str]:
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        async with embedded_server(folder) as url, Redis.from_url(url) as redis:
            # A rewrite of the append-only file would fall into one cell and not into the others.
            await redis.config_set("auto-aof-rewrite-percentage", 0)
            info: Any = await redis.info("server")
            rounds = []
            for number in range(_ROUNDS):
                console.print(f"Round {number + 1} of {_ROUNDS} …")
                # Each round has new processes: what LuaJIT compiles differs from start to start, and so does
                # what nginx costs, by up to two thirds.
                async with headwater(folder, url) as ours, yardstick(folder, url) as theirs:
                    rounds.append(await _cells(redis, info["process_id"], (ours, theirs)))
    kind = "Valkey" if "valkey_version" in info else "Redis"
    figures = [_calmest(cell) for cell in zip(*rounds, strict=True)]
    return figures, f"{kind} {info.get('valkey_version', info['redis_version'])}"


async def _cells(redis: Redis, server_pid: int, contenders: Sequence[Contender]) -> list[Figures]:
    return [
        await measure(contender, redis, server_pid, events_a_hit)
        for events_a_hit in _EVENTS_A_HIT
        for contender in contenders
    ]


def _calmest(cell: Iterable[Figures]) -> Figures:
    """Return the round that cost least: what else runs on the machine only ever adds to the cost."""
    return min(cell, key=lambda figures: figures.own_cpu + figures.server_cpu)


def main() -> None:
    """Measure, print and write the page; figures that cannot be trusted are not shown."""
    if packages := missing():
        sys.exit(f"benchmarks: install Debian's packages first: apt install {' '.join(packages)}")
    console = Console()
    busy = os.getloadavg()[0]
    try:
        figures, server = asyncio.run(_run(console))
    except LostError as error:
        sys.exit(f"benchmarks: {error}")
    console.print(table(figures))
    write_page(figures, server, busy)
    remember(figures, server, busy)
    write_interpreters()


main()
