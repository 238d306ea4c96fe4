"""What a second of one core puts into the stream, by each engine: events of several visitors, in groups."""

from __future__ import annotations

import asyncio
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from collector.cli.context import use_uvloop
from collector.logs import configure_logs
from collector.settings import Settings
from collector.store import Names, open_store
from collector.stream import Record
from collector.stream.engine import open_engine
from tests.queues.kafka_broker import Kafka

if TYPE_CHECKING:
    from collections.abc import Sequence

_EVENTS = 20_000
_GROUP = 500  # as many as go together when a collector has much to do
_BYTES = 1000


async def main() -> None:
    """Print for each engine the events a second of wall time and of this process' processor time."""
    now = datetime.now(UTC).date().isoformat()
    print(f"{now}, Python {platform.python_version()}, {platform.machine()}, groups of {_GROUP}:")
    with tempfile.TemporaryDirectory() as folder:
        kafka = Kafka(Path(folder))
        await kafka.start()
        await kafka.make_anew(Names().topic("events"), 3)
        try:
            for name, stream in (("redis", ""), ("kafka", f"kafka://{kafka.url}")):
                wall, busy = await _measure(Settings(data=Path(folder, name), stream=stream))
                print(f"| {name} | {_EVENTS / wall:,.0f} | {_EVENTS / busy:,.0f} |")
        finally:
            kafka.kill()


async def _measure(settings: Settings) -> tuple[float, float]:
    """Return the seconds and the processor seconds in which all events became safe."""
    async with open_store(settings) as redis:
        engine = open_engine(redis, Names(), settings)
        appender = engine.appender(0)
        await appender.append([_record(-1)])
        began, busy = time.perf_counter(), time.process_time()
        for first in range(0, _EVENTS, _GROUP):
            await appender.append(_group(first))
        wall, busy = time.perf_counter() - began, time.process_time() - busy
        await engine.stop()
    return wall, busy


def _group(first: int) -> Sequence[Record]:
    return [_record(first + number) for number in range(_GROUP)]


def _record(number: int) -> Record:
    data = orjson.dumps({"messageId": f"id{number}", "properties": {"pad": "x" * _BYTES}})
    return Record(f"v{number % 100}", "events", "web1", "track", f"id{number}", 3600, data)


if __name__ == "__main__":
    configure_logs("error")
    use_uvloop()
    asyncio.run(main())
