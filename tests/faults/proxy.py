"""A small proxy between a collector and Redis that delays, withholds and cuts what passes."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from tests.faults.servers import LOGIN

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from types import TracebackType

_CHUNK = 64 * 1024


class Proxy:
    """Pass bytes both ways, as the faults that are set allow. Times are seconds."""

    def __init__(self, target: int, *, tls: ssl.SSLContext | None = None) -> None:
        self._target = target
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.hold_requests = 0.0
        self.hold_replies = 0.0
        self.cut_reply_after: int | None = None

    @property
    def url(self) -> str:
        """The address to give to the collector."""
        return f"redis://{LOGIN}@127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def busy(self) -> bool:
        """Whether something is still under way."""
        return bool(self._tasks)

    async def passed(self) -> None:
        """Wait until what was held back has arrived."""
        await asyncio.wait(self._tasks, timeout=self.hold_requests + self.hold_replies + 1)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        # Each way ends by itself: what was held back still arrives after the other side has gone.
        for way in (self._requests(reader, far_writer), self._replies(far_reader, writer)):
            task = asyncio.create_task(way)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with _closing(writer):
            while data := await reader.read(_CHUNK):
                await asyncio.sleep(self.hold_requests)
                writer.write(data)
                await writer.drain()

    async def _replies(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with _closing(writer):
            while data := await reader.read(_CHUNK):
                await asyncio.sleep(self.hold_replies)
                if self.cut_reply_after is not None:
                    writer.write(data[: self.cut_reply_after])
                    return
                writer.write(data)
                await writer.drain()


@contextmanager
def _closing(writer: asyncio.StreamWriter) -> Iterator[None]:
    try:
        with suppress(OSError):
            yield
    finally:
        writer.close()
