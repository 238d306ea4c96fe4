"""aiohttp's reader of a connection, as the street needs it: counted, and silent about what software it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from collector.answer import refusal_answer
from collector.model import Reason, Refusal

if TYPE_CHECKING:
    from collector.connections import Connections

log = structlog.get_logger()

_BAD_REQUEST = 400


class Handler(RequestHandler):
    """One connection."""

    __slots__ = ("_connections", "_entered")

    def __init__(self, server: web.Server, connections: Connections, **options: Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._connections = connections
        self._entered: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read, unless the connection is one too many."""
        if self._connections.enter(cast("asyncio.Transport", transport)):
            self._entered = cast("asyncio.Transport", transport)
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._connections.leave(self._entered)
        if self._entered is not None:
            super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - the parser's words tell what software this is
    ) -> web.StreamResponse:
        """Answer what is no HTTP in the house's shape; a fault, and only a fault, goes to the log."""
        if status != _BAD_REQUEST:
            log.error("fault", method=request.method, error=repr(exc))
        if request.writer.output_size > 0:
            raise ConnectionError("The answer has begun; there is no way to correct it.")
        reason = Reason.BAD_REQUEST if status == _BAD_REQUEST else Reason.INTERNAL
        answer = refusal_answer(Refusal(reason), {"Server": "headwater"})
        response = web.Response(status=answer.status, headers=answer.headers, body=answer.body)
        response.force_close()
        return response
