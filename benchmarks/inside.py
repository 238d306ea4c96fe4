"""``python -m benchmarks.inside``: a beacon's whole way in one process, without sockets to clients.

Connections of the lean way in are fed by hand and write their answers to nowhere; the server is real. On a
busy machine two versions of the code are compared best by running this of each by turns.
"""

from __future__ import annotations

import asyncio
import resource
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis

from benchmarks.measure import LostError
from benchmarks.report import put
from benchmarks.stages import request
from collector.app import collector
from collector.cli.context import calm_garbage_collection, use_uvloop
from collector.connections import Connections
from collector.lean import LeanDoor
from collector.settings import Settings
from collector.sources import check_form
from collector.store import Names
from collector.store.embedded import embedded_server

if TYPE_CHECKING:
    from collector.lean import Connection

_EVENTS_A_HIT = (1, 10, 50)
_CONNECTIONS = 32
_HITS_EACH = {1: 100, 10: 30, 50: 20}
_ROUNDS = 4


class _Client:
    """A transport whose client sends the next hit as soon as the last is answered."""

    def __init__(self, hits: list[bytes]) -> None:
        self._hits = hits
        self._loop = asyncio.get_running_loop()
        self.connection: Connection | None = None
        self.done: asyncio.Future[None] = self._loop.create_future()

    def write(self, answer: bytes) -> None:
        if not answer.startswith(b"HTTP/1.1 204 "):
            self.done.set_exception(LostError(answer.decode()))
        elif self._hits and self.connection:
            self._loop.call_soon(self.connection.data_received, self._hits.pop())
        elif not self.done.done():
            self.done.set_result(None)

    def get_extra_info(self, _name: str) -> tuple[str, int]:
        return "127.0.0.1", 1

    def is_closing(self) -> bool:
        return False


def main() -> None:
    """Print the table and put it on the page."""
    use_uvloop()
    costs = asyncio.run(_run())
    rows = [(str(events), *(f"{each:.1f}" for each in (*cost, sum(cost)))) for events, cost in costs.items()]
    put("benchmarks.inside", ("events a hit", "own µs an event", "server µs an event", "both"), rows)


async def _run() -> dict[int, tuple[float, float]]:
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        async with embedded_server(Path(folder)) as url:
            settings = Settings(redis_url=url, data=Path(folder) / "own", overload_ms=0)
            async with collector(settings) as parts, Redis.from_url(url) as redis:
                await parts.catalogue.add(check_form({"id": "bench", "name": "Benchmark"}))
                await redis.config_set("auto-aof-rewrite-percentage", 0)
                open_ = Connections(10_000, 10_000, lambda _: True)
                door = LeanDoor(parts.lean, lambda: None, connections=open_, idle_seconds=75)  # type: ignore[arg-type, return-value]
                calm_garbage_collection()
                rounds = [
                    {
                        events: await _cell(door, redis, events, f"{number}{events:02}")
                        for events in _EVENTS_A_HIT
                    }
                    for number in range(_ROUNDS)
                ]
    return {events: min((cells[events] for cells in rounds), key=sum) for events in _EVENTS_A_HIT}


async def _cell(door: LeanDoor, redis: Redis, events: int, mark: str) -> tuple[float, float]:
    """Return the CPU time of this process and of the server for an event, in microseconds."""
    number = _HITS_EACH[events]
    clients = [
        _Client([b"".join(request(events, f"{mark}{at:02}{hit:03}")) for hit in range(number)])
        for at in range(_CONNECTIONS)
    ]
    for client in clients:
        client.connection = door.connect()
        client.connection.connection_made(client)  # type: ignore[arg-type]
    before = _own(), await _servers(redis)
    for client in clients:
        client.write(b"HTTP/1.1 204 begin")
    await asyncio.gather(*(client.done for client in clients))
    after = _own(), await _servers(redis)
    all_events = _CONNECTIONS * number * events
    if await redis.xlen(Names().stream(0)) != all_events:
        raise LostError(f"{events} a hit: not every event is in the stream once. No figures.")
    await redis.unlink(Names().stream(0))
    for client in clients:
        client.connection.connection_lost(None)  # type: ignore[union-attr]
    own, server = ((late - early) * 1e6 / all_events for early, late in zip(before, after, strict=True))
    return own, server


def _own() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _servers(redis: Redis) -> float:
    told: Any = await redis.info("cpu")
    return float(told["used_cpu_user"] + told["used_cpu_sys"])


if __name__ == "__main__":
    main()
