"""``python -m benchmarks.spool``: what the collector takes while Redis is down, beside what it takes else.

Needs wrk. Also says what a remembered event id costs in Redis.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import orjson
import uvloop
from redis.asyncio import Redis

from benchmarks import load
from benchmarks.contender import headwater
from benchmarks.process import running
from collector.protocols.ids import uuid7
from collector.store import Names
from collector.store.embedded import server_binary

if TYPE_CHECKING:
    from benchmarks.contender import Contender

_EVENTS_A_HIT = 10
_HALF_SECONDS = 5


async def _run(folder: Path) -> None:
    socket = folder / "redis.sock"
    durable = ("--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", folder)
    command = (server_binary(), "--port", 0, "--unixsocket", socket, *durable)
    async with running(*command) as server:
        while not socket.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.05)
        async with headwater(folder, f"unix://{socket}") as contender:
            normal = await _throughput(contender)
            print(f"Redis up: {normal:,.0f} events a second; {await _bytes_an_id(socket):.0f} bytes an id")
            print(f"Redis up, half of that load: p99 {await _half(contender, normal / 2) * 1000:.1f} ms")
            server.kill()
            await asyncio.sleep(3)
            spooling = await _throughput(contender)
            print(f"Redis down: {spooling:,.0f} events a second, {spooling / normal:.0%} of it")
            p99 = await _half(contender, spooling / 2)
            print(f"Redis down, half of that load: p99 {p99 * 1000:.1f} ms")
            print(f"most memory of the collector: {_peak_mib(contender.pid):.0f} MiB")


async def _throughput(contender: Contender) -> float:
    seen = await load.send(contender.url, _EVENTS_A_HIT)
    if seen.failed:
        raise RuntimeError(f"{seen.failed} hits failed")
    return seen.hits * _EVENTS_A_HIT / load.SECONDS


async def _bytes_an_id(socket: Path) -> float:
    async with Redis(unix_socket_path=str(socket)) as redis:
        used = known = 0
        async for key in redis.scan_iter(match=f"{Names().ids(0)}:*", count=1000):
            used += await redis.memory_usage(key, samples=0) or 0
            known += await redis.scard(key)
    return used / known


async def _half(contender: Contender, events_a_second: float) -> float:
    """Send at a steady pace, whether answers come or not; return the 99th percentile in seconds."""
    every = _EVENTS_A_HIT / events_a_second
    waits: list[float] = []
    bodies = [_body() for _ in range(int(_HALF_SECONDS / every))]
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        start = time.monotonic()
        for number, body in enumerate(bodies):
            await asyncio.sleep(max(0.0, start + number * every - time.monotonic()))
            group.create_task(_hit(session, contender.url, body, waits))
    return sorted(waits)[int(len(waits) * 0.99)]


def _body() -> bytes:
    now = time.time_ns() // 1_000_000
    batch = [
        {"type": "track", "event": "Seen", "messageId": uuid7(now), "properties": {"total": 3.5}}
        for _ in range(_EVENTS_A_HIT)
    ]
    return orjson.dumps({"batch": batch, "anonymousId": "v"})


async def _hit(session: aiohttp.ClientSession, url: str, body: bytes, waits: list[float]) -> None:
    started = time.monotonic()
    async with session.post(url, data=body) as answer:
        answer.raise_for_status()
    waits.append(time.monotonic() - started)


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="headwater-spool-") as name:
        uvloop.run(_run(Path(name)))


if __name__ == "__main__":
    main()
