"""What a sink writes in a second and what an event costs it, from a consumer group into each target."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web
from redis.asyncio import Redis

from collector.cli.context import use_uvloop
from collector.logs import configure_logs
from collector.sinks.registry import open_sink
from collector.sinks.runner import Done, Runner
from collector.store import Names
from collector.store.embedded import embedded_server
from collector.stream.consumer import Consumer
from tests.faults.servers import free_port
from tests.queues.brokers import TOPIC, Nats, RabbitMQ, opened
from tests.queues.kafka_broker import Kafka
from tests.sinks.servers import PASSWORD, ClickHouse, Postgres, Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from collector.sinks import Sink

_MANY, _FEW = 50_000, 5_000  # for calls over HTTP, of which each has few events
_VISITORS = 500

Target = tuple[str, dict[str, str]]


async def main() -> None:
    """Print for each target the events, those of a second, and the microseconds of our processor an event."""
    load = os.getloadavg()[0]
    size = len(_event(1))
    print(
        f"{datetime.now(UTC).date()}, Python {platform.python_version()}, {platform.machine()}, "
        f"{os.cpu_count()} cores at a load of {load:.1f}, events of {size} bytes:"
    )
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        async with embedded_server(folder / "valkey") as url, Redis.from_url(url, protocol=2) as redis:
            for row, (kind, sink, count, target) in enumerate(_TARGETS):
                place = folder / f"{row}"
                place.mkdir()
                async with target(place) as (to, options):
                    wall, busy = await _measure(redis, f"bench{row}", open_sink(sink, to, options), count)
                print(f"| {kind} | {count:,} | {count / wall:,.0f} | {busy / count * 1e6:,.0f} |", flush=True)


async def _measure(redis: Redis, namespace: str, sink: Sink, count: int) -> tuple[float, float]:
    """Return the seconds and the processor seconds in which all events were written."""
    names = Names(namespace)
    await _fill(redis, names, count)
    consumer = Consumer(redis, names, "bench", most=500, gather=sink.limits)

    async def told(done: Done) -> None:
        if done.events >= count:
            consumer.stop()

    runner = Runner(consumer, sink)
    began, busy = time.perf_counter(), time.process_time()
    await runner.run(told)
    wall, busy = time.perf_counter() - began, time.process_time() - busy
    if runner.done.written != count:
        sys.exit(f"benchmarks: only {runner.done.written} of {count} events were written.")
    await redis.delete(names.stream(0))
    return wall, busy


async def _fill(redis: Redis, names: Names, count: int) -> None:
    for start in range(0, count, 1000):
        async with redis.pipeline(transaction=False) as pipe:
            for number in range(start, start + 1000):
                pipe.xadd(names.stream(0), {"source": "web1", "type": "page", "event": _event(number)})
            await pipe.execute()


def _event(number: int) -> bytes:
    page = {
        "url": f"https://shop.example/p/{number}?utm_source=news",
        "path": f"/p/{number}",
        "title": "A product",
    }
    context: dict[str, Any] = {
        "page": {**page, "referrer": "https://www.search.example/", "search": "?utm_source=news"},
        "campaign": {"source": "news"},
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
        "browser": {"name": "Firefox", "version": "146.0"},
        "os": {"name": "Linux"},
        "device": {"type": "pc"},
        "locale": "de-CH",
        "consent": {"analytics": True, "ads": False},
    }
    event = {
        "messageId": f"019b7ca6-9d08-7c3e-a1a8-{number:012}",
        "type": "page",
        "source": {"id": "web1", "bridge": "web", "channel": "Web"},
        "anonymousId": f"visitor-{number % _VISITORS}",
        "sessionId": f"session-{number % _VISITORS}",
        "properties": {"category": "shoes", "price": 19.9, "position": number % 40},
        "context": context,
        "timestamp": "2026-11-29T03:04:05.000Z",
        "receivedAt": "2026-11-29T03:04:05.120Z",
        "collector": {"version": "0.1.0", "protocol": "native"},
    }
    return orjson.dumps(event)


def _files(**options: str) -> Callable[[Path], Any]:
    @asynccontextmanager
    async def target(place: Path) -> AsyncIterator[Target]:
        yield str(place / "events"), options

    return target


@asynccontextmanager
async def _bucket(_place: Path) -> AsyncIterator[Target]:
    store = Store()
    store.start()
    yield "s3://lake/events", {"endpoint": store.endpoint, **store.options}
    store.kill()


@asynccontextmanager
async def _postgres(_place: Path) -> AsyncIterator[Target]:
    server = Postgres()
    server.start()
    yield server.address("postgres"), {"password": PASSWORD}
    server.close()


@asynccontextmanager
async def _clickhouse(place: Path) -> AsyncIterator[Target]:
    server = ClickHouse(place)
    server.start()
    yield server.url, {"password": PASSWORD}
    server.kill()


@asynccontextmanager
async def _kafka(place: Path) -> AsyncIterator[Target]:
    broker = Kafka(place)
    await broker.start()
    await broker.empty()
    yield f"kafka://127.0.0.1:{broker.port}/{TOPIC}", {}
    broker.kill()


def _broker(make: Callable[[Path], Any], to: str, **options: str) -> Callable[[Path], Any]:
    @asynccontextmanager
    async def target(place: Path) -> AsyncIterator[Target]:
        broker = make(place)
        await broker.start()
        yield to.format(port=broker.port, topic=TOPIC), options
        broker.kill()

    return target


def _calls(**options: str) -> Callable[[Path], Any]:
    """Return a target that answers 200 to whatever is posted to it, in a process of its own."""

    @asynccontextmanager
    async def target(_place: Path) -> AsyncIterator[Target]:
        port = free_port()
        command = (sys.executable, "-m", "benchmarks.sinks", str(port))
        process = await asyncio.create_subprocess_exec(*command)
        await opened(port)
        yield f"http://127.0.0.1:{port}/", options
        process.kill()
        await process.wait()

    return target


def _answer(port: int) -> None:
    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    application = web.Application(client_max_size=1024**3)
    application.router.add_post("/", take)
    web.run_app(application, host="127.0.0.1", port=port, print=None)


_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of a benchmark
_TARGETS = (
    ("ndjson, plain", "ndjson", _MANY, _files(compress="none")),
    ("ndjson, gzip", "ndjson", _MANY, _files(compress="gzip")),
    ("ndjson, zstd", "ndjson", _MANY, _files(compress="zstd")),
    ("parquet", "parquet", _MANY, _files()),
    ("parquet, S3 (moto)", "parquet", _MANY, _bucket),
    ("postgres", "postgres", _MANY, _postgres),
    ("clickhouse (chdb)", "clickhouse", _MANY, _clickhouse),
    ("kafka", "kafka", _MANY, _kafka),
    ("nats", "nats", _MANY, _broker(Nats, "nats://127.0.0.1:{port}/{topic}")),
    ("rabbitmq", "rabbitmq", _MANY, _broker(RabbitMQ, "amqp://127.0.0.1:{port}", queue=TOPIC)),
    ("webhook", "webhook", _FEW, _calls(secret=_SECRET, private="true")),
    ("segment", "segment", _FEW, _calls(key="key")),
    ("tracardi", "tracardi", _FEW, _calls(source="source")),
)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _answer(int(sys.argv[1]))
    else:
        configure_logs("error")
        use_uvloop()
        asyncio.run(main())
