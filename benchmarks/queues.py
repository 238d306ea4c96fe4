"""What a second of one core reads from each broker: messages of one event each, into the stream."""

from __future__ import annotations

import asyncio
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from collector.app import collector
from collector.bridges.queue.kinds import open_broker
from collector.bridges.queue.reader import Reader
from collector.cli.context import use_uvloop
from collector.logs import configure_logs
from collector.settings import Settings
from collector.sources import check_form
from tests.queues.brokers import BROKERS, RabbitMQ
from tests.queues.kafka_broker import Kafka

if TYPE_CHECKING:
    from tests.queues.brokers import Broker

_MESSAGES = 5000
_PREFETCH = 500


async def main() -> None:
    """Print for each broker the messages a second of wall time and of this process' processor time."""
    now = datetime.now(UTC).date().isoformat()
    print(f"{now}, Python {platform.python_version()}, {platform.machine()}, prefetch {_PREFETCH}:")
    with tempfile.TemporaryDirectory() as folder:
        for kind, make in {**BROKERS, "rabbitmq": RabbitMQ, "kafka": Kafka}.items():
            place = Path(folder, kind)
            place.mkdir()
            broker: Broker = make(place)
            await broker.start()
            try:
                wall, busy = await _measure(broker, Path(folder, f"data-{kind}"))
            finally:
                broker.kill()
            print(f"| {kind} | {_MESSAGES / wall:,.0f} | {_MESSAGES / busy:,.0f} |")


async def _measure(broker: Broker, data: Path) -> tuple[float, float]:
    """Return the seconds and the processor seconds in which all messages became safe."""
    settings = {"topic": "orders", "prefetch": _PREFETCH, **broker.settings}
    async with collector(Settings(data=data)) as parts:
        form = check_form({"name": "x", "bridge": "queue", "settings": settings})
        source = await parts.catalogue.add(form)
        await broker.publish([_event(number) for number in range(_MESSAGES)])
        reader, connection = (
            Reader(source, parts.pipeline, parts.queues.states, "w1"),
            open_broker(source.settings, "w1"),
        )
        await connection.connect()
        began, busy, read = time.perf_counter(), time.process_time(), 0
        while read < _MESSAGES:
            read += await reader.pass_on(connection)
        wall, busy = time.perf_counter() - began, time.process_time() - busy
        await connection.close()
    return wall, busy


def _event(number: int) -> bytes:
    properties: dict[str, Any] = {"order": number, "total": 19.9, "currency": "EUR", "items": ["a", "b"]}
    event = {"type": "track", "event": "Order Completed", "userId": f"u{number % 500}"}
    return orjson.dumps({**event, "properties": properties})


if __name__ == "__main__":
    configure_logs("error")
    use_uvloop()
    asyncio.run(main())
