"""``python -m benchmarks.abuse``: bombs and slow senders, while ordinary hits go on.

Needs slowhttptest (Debian has it). Takes two minutes.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import aiohttp

from benchmarks.bombs import BOMBS, PACKED
from benchmarks.contender import SOURCE, headwater
from benchmarks.process import running
from benchmarks.report import put
from collector.store.embedded import embedded_server

_HITS = 400
_PAUSE_SECONDS = 0.01
_SLOW = 1000
_SLOW_SECONDS = 30
_GONE_SECONDS = 20
_VIEW = b'{"batch":[{"type":"page"}]}'
_ATTACKS = {
    "slowhttptest -H": ("-H", "-i", 5),
    "slowhttptest -B": ("-B", "-i", 5, "-s", 8192),
    "slowhttptest -X": ("-X", "-k", 20, "-w", 1, "-y", 8, "-n", 5, "-z", 1),
}


def main() -> None:
    """Print the table and put it on the page."""
    headings = (
        "attack",
        "cases",
        "ordinary hits",
        "failed",
        "p99 ms",
        "slowest ms",
        f"open after {_GONE_SECONDS} s",
    )
    put("benchmarks.abuse", headings, asyncio.run(_run()), page="security.md")


async def _run() -> list[tuple[str, ...]]:
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        async with embedded_server(folder) as redis_url, headwater(folder, redis_url) as contender:
            await _hits(contender.url)  # warm
            rows = [("none", "", *_row(await _hits(contender.url)), "")]  # what the machine alone does
            rows += [await _bombed(contender.url, encoding) for encoding in PACKED]
            return rows + [await _slowed(contender.url, attack) for attack in _ATTACKS]


async def _bombed(url: str, encoding: str) -> tuple[str, ...]:
    async with running(sys.executable, "-m", "benchmarks.bombs", url, encoding) as bombs:
        size = int(await cast("asyncio.StreamReader", bombs.stdout).readline())
        row = _row(await _hits(url))
        if bombs.returncode is not None:
            raise RuntimeError(f"bombs of {encoding} were not thrown to the end")
    return (f"{encoding} bombs of {size:,} bytes", f"{BOMBS} at once", *row, "")


async def _slowed(url: str, attack: str) -> tuple[str, ...]:
    path = f"/s/{SOURCE}.js" if attack.endswith("X") else f"/e/{SOURCE}"
    target = url.removesuffix(f"/e/{SOURCE}") + path
    flags = (*_ATTACKS[attack], "-c", _SLOW, "-r", 500, "-l", _SLOW_SECONDS, "-p", 3, "-u", target)
    port = urlsplit(url).port or 0
    async with running("slowhttptest", *flags):
        await asyncio.sleep(3)
        row = _row(await _hits(url, fresh=True))
        await asyncio.sleep(_GONE_SECONDS)
        left = _open_at(port)
    return (attack, f"{_SLOW:,} connections", *row, str(left))


async def _hits(url: str, *, fresh: bool = False) -> list[float]:
    """Return how many seconds each hit took, infinity for one that failed."""
    connector = aiohttp.TCPConnector(force_close=fresh, family=socket.AF_INET)
    took = []
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(_HITS):
            start = time.perf_counter()
            try:
                async with session.post(url, data=_VIEW, headers={"Content-Type": "text/plain"}) as answer:
                    good = answer.ok
            except aiohttp.ClientError:
                good = False
            took.append(time.perf_counter() - start if good else float("inf"))
            await asyncio.sleep(_PAUSE_SECONDS)
    return took


def _row(took: list[float]) -> tuple[str, ...]:
    good = sorted(each for each in took if each != float("inf"))
    p99 = good[int(len(good) * 0.99)] * 1000
    return (str(len(took)), str(len(took) - len(good)), f"{p99:.1f}", f"{good[-1] * 1000:.1f}")


def _open_at(port: int) -> int:
    """Return how many connections the kernel holds as established at a local port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


if __name__ == "__main__":
    main()
