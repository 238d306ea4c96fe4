"""``python -m benchmarks.rate``: how long a hit takes at a steady rate, without coordinated omission.

Hits are due at fixed times, whatever became of those before. The time of one runs from when it was due:
what waits for a free connection, or behind a stall of the collector, counts as waited.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvloop
from redis.asyncio import Redis

from benchmarks import load
from benchmarks.contender import headwater, yardstick
from benchmarks.report import put
from benchmarks.stages import request
from collector.protocols.ids import uuid7
from collector.store.embedded import embedded_server

if TYPE_CHECKING:
    from benchmarks.contender import Contender

_SHARES = (0.3, 0.6, 0.9)
_SECONDS = 8
_CONNECTIONS = 64
_TICK_SECONDS = 0.002
_DRAIN_SECONDS = 5
_PLACE = b"0193aaaa-bbbb-7ccc-8ddd-000000000000"  # the id in the request, which each hit replaces


def main() -> None:
    """Print the table and put it on the page."""
    headings = ("contender", "share of most", "hits a second", "p50 ms", "p99 ms", "p99.9 ms", "lost")
    put("benchmarks.rate", headings, uvloop.run(_run()))


async def _run() -> list[tuple[str, ...]]:
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        async with embedded_server(folder) as url, Redis.from_url(url) as redis:
            await redis.config_set("auto-aof-rewrite-percentage", 0)
            async with headwater(folder, url) as ours, yardstick(folder, url) as theirs:
                most = (await load.send(ours.url, 1)).hits / load.SECONDS
                return [
                    await _row(contender, redis, most, share)
                    for share in _SHARES
                    for contender in (ours, theirs)
                ]


async def _row(contender: Contender, redis: Redis, most: float, share: float) -> tuple[str, ...]:
    """Return the figures of a contender at a share of what ours takes at most."""
    await redis.unlink(contender.stream)
    sender = _Sender(contender.url)
    await sender.connect()
    times = sorted(await sender.send(most * share))
    stored = await redis.xlen(contender.stream)
    waits = (f"{times[int(len(times) * part)] * 1000:.1f}" for part in (0.5, 0.99, 0.999))
    return (contender.name, f"{share:.0%}", f"{most * share:,.0f}", *waits, str(len(times) - stored))


class _Sender:
    """Connections that take the next due hit as soon as they are free."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname, parts.port
        head, body = request(1)
        self._template = head + body
        self._due: deque[float] = deque()
        self._free: list[_Connection] = []
        self.times: list[float] = []

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(_CONNECTIONS):
            _, connection = await loop.create_connection(lambda: _Connection(self), *self._address)
            self._free.append(connection)

    async def send(self, rate: float) -> list[float]:
        """Send for ``_SECONDS`` at ``rate`` hits a second; return each hit's time, in seconds."""
        begun, number = time.perf_counter(), 0
        while (now := time.perf_counter()) < begun + _SECONDS:
            while begun + number / rate <= now:
                self._due.append(begun + number / rate)
                number += 1
            self._fill()
            await asyncio.sleep(_TICK_SECONDS)
        for _ in range(int(_DRAIN_SECONDS / _TICK_SECONDS)):
            if len(self.times) == number:
                break
            await asyncio.sleep(_TICK_SECONDS)
        return self.times

    def answered(self, connection: _Connection, due: float) -> None:
        """Note an answer; the connection takes the next hit."""
        self.times.append(time.perf_counter() - due)
        self._free.append(connection)
        self._fill()

    def _fill(self) -> None:
        while self._due and self._free:
            hit = self._template.replace(_PLACE, uuid7(time.time_ns() // 1_000_000).encode())
            self._free.pop().begin(hit, self._due.popleft())


class _Connection(asyncio.Protocol):
    """One connection with one hit under way; answers of beacons have no body."""

    def __init__(self, sender: _Sender) -> None:
        self._sender = sender
        self._due = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def begin(self, hit: bytes, due: float) -> None:
        """Send a hit."""
        self._due = due
        if self._transport:
            self._transport.write(hit)

    def data_received(self, data: bytes) -> None:
        if not data.startswith(b"HTTP/1.1 204"):
            raise RuntimeError(data[:100].decode(errors="replace"))
        self._sender.answered(self, self._due)


if __name__ == "__main__":
    main()
