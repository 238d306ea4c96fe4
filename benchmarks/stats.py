"""What counting costs: a hit with and without it, a second's write, and the bytes of a busy source.

``python -m benchmarks.stats``
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from multidict import CIMultiDict
from redis.asyncio import Redis

from collector.app import collector
from collector.model import Event, Hit, Outcome, Source
from collector.protocols import native
from collector.settings import Settings
from collector.sources import check_form
from collector.stats import Counters
from collector.store import Names
from collector.store.embedded import embedded_server

_EVENTS = 20_000
_SECONDS = 20
_HITS = 300
_ROUNDS = 5


def main() -> None:
    """Print the figures."""
    asyncio.run(_run())


async def _run() -> None:
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        async with embedded_server(Path(folder)) as url, Redis.from_url(url) as redis:
            counters = Counters(redis, Names("bench"))
            for name, different in (("typical: 50 pages, 500 visitors", 50), ("worst: each is new", _EVENTS)):
                await redis.flushall()
                await _measure(redis, counters, name, different)
            for events in (1, 10):
                await _with_and_without(url, Path(folder), events)


async def _measure(redis: Redis, counters: Counters, name: str, different: int) -> None:
    in_memory = written = 0.0
    server = await _server_cpu(redis)
    for second in range(_SECONDS):
        events = [_event(second * _EVENTS + number, different) for number in range(_EVENTS // _SECONDS)]
        outcomes = [Outcome(0, "stored")] * len(events)
        started = time.process_time()
        counters.events("web1", events, outcomes)
        counted = time.process_time()
        await counters.flush()
        in_memory += counted - started
        written += time.process_time() - counted
        counters._parcels.clear()  # noqa: SLF001
    server = await _server_cpu(redis) - server
    used = sum([await redis.memory_usage(key) async for key in redis.scan_iter()])
    print(
        f"{name}: {in_memory / _EVENTS * 1e6:.1f} µs an event in memory, and at {_EVENTS // _SECONDS} events"
        f" a second {written / _SECONDS * 1e3:.1f} ms a second to write, {server / _SECONDS * 1e3:.1f} ms of"
        f" the server; {used / 1024:.0f} KiB kept"
    )


async def _with_and_without(url: str, folder: Path, events: int) -> None:
    """Take the same hits with the counters and with none, in turns, and print the calmest of each."""
    settings = Settings(redis_url=url, namespace=f"bench{events}", data=folder / "own")
    async with collector(settings) as running:
        source = await running.catalogue.add(check_form({"name": "Shop"}))
        pipelines = {
            "with": running.pipeline,
            "without": replace(running.pipeline, counters=_None(None, None)),
        }  # type: ignore[arg-type]
        took: dict[str, list[float]] = {name: [] for name in pipelines}
        for _ in range(_ROUNDS):
            for name, pipeline in pipelines.items():
                hits = [_hit(source, events) for _ in range(_HITS)]
                started = time.process_time()
                for hit in hits:
                    await pipeline.take(hit, native.beacon)
                took[name].append((time.process_time() - started) / (_HITS * events) * 1e6)
    least = {name: min(rounds) for name, rounds in took.items()}
    print(
        f"{events} events a hit, from the body to the stream and back, one hit at a time:"
        f" {least['with']:.1f} µs an event with counting, {least['without']:.1f} µs without"
    )


class _None(Counters):
    """Count nothing."""

    def events(self, *_: Any) -> None:
        """Leave it."""


def _hit(source: Source, events: int) -> Hit:
    context = {"page": {"url": "https://shop.example/sale?utm_source=news", "title": "Sale"}}
    batch = [{"type": "page", "messageId": secrets.token_hex(8), "context": context} for _ in range(events)]
    headers = CIMultiDict(
        {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"}
    )
    now = time.time_ns() // 1_000_000
    return Hit(source, now, orjson.dumps({"batch": batch}), headers=headers, address="192.0.2.7")


async def _server_cpu(redis: Redis) -> float:
    info: Any = await redis.info("cpu")
    return float(info["used_cpu_user"] + info["used_cpu_sys"])


def _event(number: int, different: int) -> Event:
    context = {
        "page": {"path": f"/products/{number % different}"},
        "browser": {"name": ("Chrome", "Firefox", "Safari")[number % 3]},
        "device": {"type": "phone"},
        "location": {"country": "CH"},
        "referrer": {"medium": "search", "source": "Google"},
        "campaign": {"source": "news", "medium": "email", "name": "spring"},
    }
    visitor = f"visitor-{number % (different * 10):032d}"
    return Event(0, "id", "page", visitor, {"type": "page", "context": context})


main()
