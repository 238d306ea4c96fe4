"""One connection of the lean way in: one request at a time, in order, until one is not for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from collector.lean.request import LeanRequest
from collector.lean.written import written

if TYPE_CHECKING:
    from collector.exchange import Answer
    from collector.lean.door import LeanDoor
    from collector.lean.head import Found, Head

log = structlog.get_logger()

MOST_BYTES = 64 * 1024  # of a body; more is not a beacon: browsers send no more from a closing page
_HEAD_BYTES = 16 * 1024
_PROMPT_SECONDS = 1
_END = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """Read requests, have them answered, and hand the connection over when one is not plain."""

    __slots__ = (
        "_buffer",
        "_door",
        "_entered",
        "_head",
        "_paused",
        "_remote",
        "_room",
        "_transport",
        "busy",
        "since",
    )

    def __init__(self, door: LeanDoor) -> None:
        self._door = door
        self._transport: asyncio.Transport | None = None
        self._entered: asyncio.Transport | None = None
        self._remote: str | None = None
        self._buffer = b""
        self._head: tuple[Head, Found, int, int] | None = None  # of what comes; where its body lies
        self._paused = False
        self._room = True  # whether the peer reads what is written
        self.busy = False
        self.since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        if not self._door.open.enter(transport):  # type: ignore[arg-type]
            return
        self._entered = self._transport = transport  # type: ignore[assignment]
        peer = transport.get_extra_info("peername")
        self._remote = str(peer[0]) if isinstance(peer, tuple) else None
        self.since = self._door.now()
        self._door.connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget the connection; what it has sent goes on to be stored."""
        self._door.open.leave(self._entered)
        self._door.connections.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Take what has come; a client that sends ahead of its answers is held back."""
        if not self._buffer and not self.busy:
            self.since = self._door.now()
        self._buffer += data
        if not self.busy:
            self._read()
        elif len(self._buffer) > MOST_BYTES and self._transport and not self._paused:
            self._transport.pause_reading()
            self._paused = True

    def pause_writing(self) -> None:
        """Answer nothing more until the peer has read."""
        self._room = False

    def resume_writing(self) -> None:
        """Go on."""
        self._room = True
        if not self.busy:
            self._read()

    def check(self, now: float) -> None:
        """Close when idle for too long; a request that comes slowly is not for here, either."""
        if self.busy:
            return
        if self._buffer and now - self.since > _PROMPT_SECONDS:
            self.hand_over()
        elif now - self.since > self._door.idle_seconds:
            self.end()

    def end(self) -> None:
        """Close, unless an answer is under way."""
        if not self.busy and self._transport:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection: its answer cannot be written."""
        if self._transport:
            self._transport.abort()

    def _read(self) -> None:
        """Begin to answer the next request, if it is here and plain."""
        if not self._buffer or not self._room or self._transport is None or self._transport.is_closing():
            return
        if self._head is None:
            self._head = self._read_head()
        if self._head is None:
            return
        head, found, start, end = self._head
        if len(self._buffer) < end:
            return
        body, self._buffer, self._head = self._buffer[start:end], self._buffer[end:], None
        self.busy = True
        self._door.begin(self, self._answer(head, found, body))

    def _read_head(self) -> tuple[Head, Found, int, int] | None:
        """Return the head of a request once it is here; one that is not plain goes to aiohttp."""
        at = self._buffer.find(_END)
        if at < 0:
            if len(self._buffer) > _HEAD_BYTES or _bare_line_feed(self._buffer):
                self.hand_over()
            return None
        start = at + len(_END)
        read = self._door.heads.read(self._buffer[:start]) if at <= _HEAD_BYTES else None
        if read is None or read[2] > MOST_BYTES:
            self.hand_over()
            return None
        head, found, length = read
        return head, found, start, start + length

    async def _answer(self, head: Head, found: Found, body: bytes) -> None:
        handler, match_info = found
        try:
            answer = await handler(LeanRequest(head, body, match_info, self._remote))
            self._door.answered(self)  # before the next request is begun
            self._finish(head, answer)
        except Exception as fault:  # noqa: BLE001 - the answer cannot be written
            self._door.answered(self)
            log.error("fault", error=repr(fault))
            self.abort()

    def _finish(self, head: Head, answer: Answer) -> None:
        """Write an answer and go on with what the client has sent meanwhile."""
        keep_alive = head.keep_alive and not self._door.closing and not answer.last
        self.busy = False
        self.since = self._door.now()
        if self._transport is None:
            return
        head_only = head.method == "HEAD"
        self._transport.write(written(answer, self._door.date, head_only=head_only, keep_alive=keep_alive))
        if not keep_alive:
            self._transport.close()
            return
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        self._read()

    def hand_over(self) -> None:
        """Give the connection to aiohttp with every byte that has not been answered."""
        transport, data = self._transport, self._buffer
        if transport is None:
            return
        self._transport, self._buffer = None, b""
        self._door.connections.discard(self)
        handler = self._door.aiohttp()
        transport.set_protocol(handler)
        handler.connection_made(transport)
        handler.data_received(data)


def _bare_line_feed(data: bytes) -> bool:
    return data.count(b"\n") != data.count(b"\r\n")
