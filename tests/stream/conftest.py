"""A server of a test's own, to be stopped and killed, and streams upon it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from collector.settings import Settings
from collector.store import Names, open_store
from collector.stream import Record, Stream
from tests.faults.servers import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that the test may torment."""
    server = Server(tmp_path / "redis").start()
    yield server
    server.close()


@asynccontextmanager
async def open_stream(server: Server, data: Path, **options: Any) -> AsyncIterator[Stream]:
    """Run a stream as a worker does, with the shortest time limit."""
    settings = Settings(**{"redis_url": server.url, "data": data, "redis_timeout_seconds": 1, **options})
    async with open_store(settings) as redis:
        stream = Stream(redis, Names(), settings)
        await stream.start()
        try:
            yield stream
        finally:
            await stream.stop()


def record(number: int, *, stream: str = "events", window: int = 3600, size: int = 0) -> Record:
    """Return a record whose bytes follow from its number."""
    data = b'{"n":%d,"pad":"%s"}' % (number, b"x" * size)
    return Record("visitor", stream, "source", "track", f"id{number}", window, data)


def stored(server: Server, stream: str = "events") -> list[bytes]:
    """Return what is in the stream, in order."""
    with server.client() as client:
        rows: Any = client.xrange(Names().stream(0, stream))
        return [fields[b"event"] for _, fields in rows]
