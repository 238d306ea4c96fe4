"""What the connections of the lean way in share: its routes, its limits, the clock, the way to aiohttp."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from collector.lean.connection import Connection
from collector.lean.head import Heads

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Coroutine, Sequence

    from aiohttp.web_protocol import RequestHandler

    from collector.connections import Connections
    from collector.lean.head import Found, Handler, Head

_SWEEP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class LeanRoute:
    """A path of the lean way in; the pattern's named groups become ``match_info``."""

    methods: frozenset[str]
    pattern: re.Pattern[str]
    handler: Handler


class LeanDoor:
    """The common part of all connections. ``aiohttp`` makes the protocol that takes one over."""

    def __init__(
        self,
        routes: Sequence[LeanRoute],
        aiohttp: Callable[[], RequestHandler],
        *,
        connections: Connections,
        idle_seconds: float,
    ) -> None:
        self._routes = routes
        self.heads = Heads(self.find)
        self.aiohttp = aiohttp
        self.open = connections
        self.idle_seconds = idle_seconds
        self.connections: set[Connection] = set()
        self.closing = False
        self.now = time.monotonic  # what connections measure their patience by, in seconds
        self.date = _date_line()
        self._answering: dict[Connection, asyncio.Task[None]] = {}

    def connect(self) -> Connection:
        """Return the protocol of a new connection."""
        return Connection(self)

    def find(self, head: Head) -> Found | None:
        """Return the handler of a request and the named parts of its path, None when it is not for here."""
        for route in self._routes:
            if head.method in route.methods and (match := route.pattern.fullmatch(head.target)):
                return route.handler, match.groupdict()
        return None

    def begin(self, connection: Connection, answering: Coroutine[Any, Any, None]) -> None:
        """Run the answering of a connection's request to its end, also when the connection is gone."""
        self._answering[connection] = asyncio.get_running_loop().create_task(answering)

    def answered(self, connection: Connection) -> None:
        """Wait no more for the connection's answer."""
        self._answering.pop(connection, None)

    async def run(self) -> None:
        """Keep the date, and end what idles or dawdles."""
        while True:
            self.date = _date_line()
            now = self.now()
            for connection in tuple(self.connections):
                connection.check(now)
            await asyncio.sleep(_SWEEP_SECONDS)

    async def close(self, seconds: float) -> None:
        """Let the answers under way be written, for so long; then close every connection."""
        self.closing = True
        for connection in tuple(self.connections):
            connection.end()
        if self._answering:
            await asyncio.wait(self._answering.values(), timeout=seconds)
        for connection in tuple(self.connections):
            connection.abort()


def _date_line() -> bytes:
    return f"Date: {formatdate(usegmt=True)}\r\n".encode("ascii")
