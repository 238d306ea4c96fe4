"""Events in a stream, and processes that bring them into a sink and are killed."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow.parquet as pq
import pytest

from collector.sinks import Delivery
from collector.store import Names
from collector.stream.groups import list_groups
from tests.conftest import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from redis.asyncio import Redis

    from collector.settings import Settings

    Bring = Callable[..., Awaitable[None]]

PAGE = (Path(__file__).parent.parent.parent / "docs" / "sinks.md").read_text(encoding="utf-8")
_DAY_MS = 1_767_312_000_000  # 2026-01-02T00:00:00Z
PROCESS = """
import asyncio, sys
from redis.asyncio import Redis
from collector.logs import configure_logs
from collector.sinks.registry import open_sink
from collector.sinks.runner import Runner
from collector.store import Names
from collector.stream.consumer import Consumer

async def main(url, namespace, name, to, *options):
    sink = open_sink(name, to, dict(each.split("=") for each in options))
    async with Redis.from_url(url, protocol=2) as redis:
        consumer = Consumer(
            redis, Names(namespace), "g", idle_seconds=0.5, deliveries=100, most=100, gather=sink.limits
        )
        async def told(done):
            print(done.events, flush=True)
        await Runner(consumer, sink).run(told)

configure_logs("warning")
asyncio.run(main(*sys.argv[1:]))
"""


def example_of(sink: str, language: str, number: int = 0) -> str:
    """Return an example from the section of docs/sinks.md that is about a sink."""
    _, _, section = PAGE.partition(f"\n## {sink}\n")
    return re.findall(rf"```{language}\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)[number]


def event(number: int, **fields: Any) -> bytes:
    """Return an event as it is stored, as the collector writes it."""
    message = {
        "messageId": f"m{number}",
        "type": "track",
        "event": "Seen",
        "source": {"id": "web1", "bridge": "web", "channel": "Web"},
        "anonymousId": f"visitor{number % 7}",
        "properties": {"number": number},
        "context": {"page": {"url": "https://shop.example/a", "path": "/a"}},
        "timestamp": "2026-01-02T03:04:05.000Z",
        "receivedAt": "2026-01-02T03:04:05.000Z",
        **fields,
    }
    return orjson.dumps(message)


def delivery(number: int, **fields: Any) -> Delivery:
    """Return an event as a consumer hands it over, one of partition 0, a second after the one before."""
    data = event(number, **fields)
    return Delivery("test:{0}:events", f"{_DAY_MS + number * 1000}-0", "web1", "track", data)


def tombstone(number: int, at: str, **ids: str) -> Delivery:
    """Return what `headwater forget` leaves."""
    data = event(number, **{"type": "forget", "receivedAt": at, "anonymousId": "", **ids})
    return Delivery("test:{0}:events", f"{_DAY_MS + number * 1000}-0", "headwater", "forget", data)


def messages(folder: Path) -> list[bytes]:
    """Return the events in Parquet files."""
    paths = folder.rglob("*.parquet")
    return [text.encode() for path in paths for text in pq.read_table(path)["message"].to_pylist()]


async def fill(redis: Redis, settings: Settings, *events: bytes) -> None:
    """Append events to the stream as the collector does."""
    key = Names(settings.namespace).stream(0)
    async with redis.pipeline(transaction=False) as pipe:
        for each in events:
            pipe.xadd(key, {"source": "web1", "type": orjson.loads(each)["type"], "event": each})
        await pipe.execute()


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start processes that run a sink with these options until they are killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PROCESS, settings.redis_url, settings.namespace, *arguments]
        environment = {"PATH": os.environ["PATH"]}
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


@pytest.fixture
def bring(redis: Redis, settings: Settings, start: Callable[..., subprocess.Popen[str]]) -> Bring:
    """Bring all of a stream into a sink by processes, of which all but the last are killed at their work."""

    async def work(
        sink: str, to: str, options: Mapping[str, str], *, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        pairs = [f"{key}={value}" for key, value in options.items()]
        for lines in (1, 3):
            process = start(sink, to, *pairs, "events=100")
            await asyncio.to_thread(_follow, process, lines)
            process.kill()
            process.wait()
        await asyncio.to_thread(_follow, start(sink, to, *pairs, "events=150", "seconds=0.1"), 1)
        await asyncio.to_thread(meanwhile)
        await until(lambda: is_read(redis, settings))

    return work


async def is_read(redis: Redis, settings: Settings) -> bool:
    """Tell whether the group has acknowledged all."""
    groups = await list_groups(redis, Names(settings.namespace), "events", 0)
    return [group.lag for group in groups] == [0]


def _follow(process: subprocess.Popen[str], lines: int) -> None:
    """Wait until a process has told of so many batches."""
    assert process.stdout
    for _ in range(lines):
        process.stdout.readline()
