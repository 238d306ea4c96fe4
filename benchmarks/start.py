"""``python -m benchmarks.start``: the time from a start to the first answer, and the memory of a worker.

Each start has a data folder of its own and the server that the collector brings. Needs nothing else.
"""

from __future__ import annotations

import asyncio
import compileall
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

import collector
from benchmarks.contender import free_port
from benchmarks.process import cpu_seconds, memory_parts, running
from benchmarks.report import put

_STARTS = 7
_WORKERS = (1, 2)
_SETTLE_SECONDS = 3
_PATIENCE_SECONDS = 60
_HITS = 10  # of each
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
)


def main() -> None:
    """Print the tables and put them on the page."""
    compileall.compile_dir(Path(collector.__file__).parent, quiet=1)  # as an installation does
    times = sorted(asyncio.run(_first_answer()) for _ in range(_STARTS))
    busy = sorted(processor for _, processor in times)
    rows = [
        (name, f"{times[at][0]:.2f}", f"{busy[at]:.2f}")
        for name, at in (("least", 0), ("median", _STARTS // 2))
    ]
    put("benchmarks.start", (f"of {_STARTS} starts", "seconds to the first answer", "CPU seconds"), rows)
    headings = ("workers", "process", "resident MiB", "its share MiB", "its own MiB")
    put("benchmarks.start (memory)", headings, [row for n in _WORKERS for row in asyncio.run(_idle(n))])


async def _first_answer() -> tuple[float, float]:
    """Return the seconds, and those of processors that the collector and its server took."""
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        port = free_port()
        began = time.monotonic()
        async with running(*_command(folder, port)) as process:
            await _until_answered(port)
            return time.monotonic() - began, cpu_seconds(process.pid)


async def _idle(workers: int) -> list[tuple[str, ...]]:
    """Return the memory of each of the collector's processes once it rests after its first hits."""
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        port = free_port()
        async with running(*_command(folder, port), "--demo", "--workers", workers) as process:
            await _until_answered(port)
            await asyncio.sleep(_SETTLE_SECONDS)  # until every worker is there and knows the source
            await _hit(f"http://127.0.0.1:{port}/e/{await _source(process)}")
            await asyncio.sleep(_SETTLE_SECONDS)
            parts = memory_parts(process.pid)
    return [(str(workers), name, *(f"{each / 1024**2:.0f}" for each in sizes)) for name, sizes in parts]


def _command(folder: str, port: int) -> tuple[object, ...]:
    address = ("--host", "127.0.0.1", "--port", port, "--console-port", 0)
    return (sys.executable, "-m", "collector", "serve", *address, "--data", Path(folder) / "data")


async def _source(process: asyncio.subprocess.Process) -> str:
    """Return the id of the demo's source, as the banner tells it."""
    lines: Any = process.stdout
    while b"/demo/" not in (line := await lines.readline()):
        pass
    return str(line.decode().rpartition("/")[2].strip())


async def _hit(address: str) -> None:
    """Send hits of a browser and of a bot, each on a connection of its own, so that every worker has some."""
    body = b'{"batch": [{"type": "page", "messageId": "%d"}]}'
    for number, agent in enumerate(_AGENTS * _HITS):
        async with aiohttp.ClientSession(headers={"User-Agent": agent}, raise_for_status=True) as session:
            await session.post(address, data=body % number)


async def _until_answered(port: int) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/healthz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.005)


if __name__ == "__main__":
    main()
