"""What stands around a tracker in the delivery matrix.

A customer's site, and a gate that spoils the way to the collector.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import ClientSession, web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Handler

    # What a fault does with a beacon; its second argument passes the beacon on to the collector.
    Forward = Callable[[], Awaitable[web.Response]]
    Fault = Callable[[web.Request, Forward], Awaitable[web.StreamResponse]]

_HOP = {"Connection", "Content-Length", "Date", "Keep-Alive", "Server", "Transfer-Encoding"}


class Door:
    """A listener on a port of its own, which stays its own when it closes and opens again."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def open(self) -> None:
        """Accept connections."""
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", "/{path:.*}", self._handler)
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Refuse connections, and cut those that are open."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None


class Gate:
    """A proxy in front of the collector; each beacon takes the next fault, and passes when none is left."""

    def __init__(self, collector: ClientSession) -> None:
        self._collector = collector
        self.faults: deque[Fault] = deque()
        self.beacons = 0
        self.door = Door(self._handle)

    @property
    def address(self) -> str:
        """Where browsers find the collector."""
        return f"http://127.0.0.1:{self.door.port}"

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()

        async def forward() -> web.Response:
            headers = {key: value for key, value in request.headers.items() if key != "Host"}
            async with self._collector.request(
                request.method, request.path_qs, data=body, headers=headers, allow_redirects=False
            ) as answer:
                kept = [(key, value) for key, value in answer.headers.items() if key not in _HOP]
                return web.Response(status=answer.status, body=await answer.read(), headers=kept)

        if request.method != "POST":
            return await forward()
        self.beacons += 1
        fault = self.faults.popleft() if self.faults else None
        return await fault(request, forward) if fault else await forward()


def answers(status: int, **headers: str) -> Fault:
    """Return the fault of a server that answers for the collector, which hears nothing."""

    async def fault(request: web.Request, _forward: Forward) -> web.StreamResponse:
        return web.Response(status=status, headers=_cors(request) | _named(headers))

    return fault


def late(seconds: float) -> Fault:
    """Return the fault of an answer that takes its time; the event is safe all the same."""

    async def fault(_request: web.Request, forward: Forward) -> web.StreamResponse:
        answer = await forward()
        await asyncio.sleep(seconds)
        return answer

    return fault


async def answer_lost(request: web.Request, forward: Forward) -> web.StreamResponse:
    """Let the event in, then cut the line before the browser hears of it."""
    await forward()
    assert request.transport
    request.transport.abort()
    return web.Response()


@dataclass(slots=True)
class Pages:
    """What a customer's site serves for one source: the tag, more of the head and body, and headers."""

    tag: str
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def html(self, path: str) -> str:
        """Return a page that is named by its path."""
        head = f'<meta charset="utf-8"><link rel="icon" href="data:,"><title>{path}</title>'
        return f"<!doctype html>{head}{self.tag}{self.body}"


class Site:
    """Customers' pages at ``/{source}/…``, on another origin and another site than the collector."""

    def __init__(self) -> None:
        self.pages: dict[str, Pages] = {}
        self.door = Door(self._handle)

    @property
    def origin(self) -> str:
        """The origin that pages are opened on."""
        return f"http://localhost:{self.door.port}"

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        source, _, path = request.match_info["path"].partition("/")
        if source not in self.pages:
            raise web.HTTPNotFound
        pages = self.pages[source]
        return web.Response(text=pages.html(path), content_type="text/html", headers=pages.headers)


def _cors(request: web.Request) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": request.headers.get("Origin", "*"),
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "Retry-After",
    }


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
