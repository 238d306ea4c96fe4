"""``python -m benchmarks.long_stream``: what an append costs, and an entry keeps, in a long stream.

The stream is filled by the server itself, its file aside; what is measured are the collector's own groups,
by the CPU time that the server tells. Takes some 2.5 GiB of memory. Needs nothing else.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from redis.asyncio import Redis

from benchmarks.report import put
from collector.store import Names
from collector.store.embedded import embedded_server
from collector.stream.append import Appender, Record

PAGE = "scale.md"
_ENTRIES = (0, 100_000, 1_000_000, 10_000_000)
_AT_ONCE = 10_000  # entries of one script call
_GROUPS, _IN_A_GROUP = 2_000, 10
_READ = 1_000
_EVENT = (
    b'{"messageId":"0193aaaa-bbbb-7ccc-8ddd-000000000000","type":"track","event":"Seen","anonymousId":"v-1"}'
)
_FILL = """
for _ = 1, ARGV[1] do
  redis.call('XADD', KEYS[1], '*', 'source', 'bench', 'type', 'track', 'event', ARGV[2])
end
"""
_HEADINGS = (
    "entries",
    "append, server µs an event",
    "to a new stream beside it",
    "read of 1,000, server µs an event",
    "bytes an entry",
    "MiB",
)


def main() -> None:
    """Print the table and put it on the page."""
    put("benchmarks.long_stream", _HEADINGS, asyncio.run(_run()), page=PAGE)


async def _run() -> list[tuple[str, ...]]:
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        async with embedded_server(Path(name)) as url, Redis.from_url(url) as redis:
            await redis.config_set("appendonly", "no")
            return [await _row(redis, number) for number in _ENTRIES]


async def _row(redis: Redis, number: int) -> tuple[str, ...]:
    names = Names("bench")
    await _fill(redis, names.stream(0), number)
    memory = await redis.memory_usage(names.stream(0), samples=100) or 0
    append = await _append(redis, names, f"bench-{number}")
    beside = await _append(redis, Names(f"beside-{number}"), "bench")
    began = await _cpu_seconds(redis)
    read = await _read(redis, names.stream(0))
    each = (await _cpu_seconds(redis) - began) / read
    kept = f"{memory / number:.0f}" if number else ""
    return (
        f"{number:,}",
        f"{append:.1f}",
        f"{beside:.1f}",
        f"{each * 1e6:.2f}",
        kept,
        f"{memory / 1024**2:,.0f}",
    )


async def _fill(redis: Redis, stream: str, number: int) -> None:
    """Fill the stream up to a number of entries."""
    fill = redis.register_script(_FILL)
    while missing := number - await redis.xlen(stream):
        await fill(keys=[stream], args=[min(missing, _AT_ONCE), _EVENT])


async def _append(redis: Redis, names: Names, source: str) -> float:
    """Return what an event costs the server, in microseconds. A new source's ids are remembered apart."""
    appender = Appender(redis, names, 0)
    began = await _cpu_seconds(redis)
    for group in range(_GROUPS):
        ids = (f"{group}-{each}" for each in range(_IN_A_GROUP))
        await appender.append([Record("v-1", "events", source, "track", each, 3600, _EVENT) for each in ids])
    return (await _cpu_seconds(redis) - began) / (_GROUPS * _IN_A_GROUP) * 1e6


async def _read(redis: Redis, stream: str) -> int:
    """Read like a program that has fallen behind: from the oldest on, a thousand at a time."""
    last, read = "0", 0
    while read < _GROUPS * _IN_A_GROUP:
        [(_, entries)] = await redis.xread({stream: last}, count=_READ)
        last, read = entries[-1][0], read + len(entries)
    return read


async def _cpu_seconds(redis: Redis) -> float:
    told = await redis.info("cpu")
    return float(told["used_cpu_user"] + told["used_cpu_sys"])


if __name__ == "__main__":
    main()
