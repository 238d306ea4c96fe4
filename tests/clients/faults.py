"""A way to the collector that fails as told, once for each fault, and then works."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import ClientSession, web

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

# What networks and servers do: refuse twice, ask to wait, take everything and lose the answer.
FAULTS = (503, 503, 429, "cut")


class FaultyWay:
    """Forward requests to a collector; ``faults`` are met first on every path, ``requests`` is what came."""

    def __init__(self, target: str, client: ClientSession, faults: tuple[int | str, ...]) -> None:
        self.target = target
        self.client = client
        self.faults = faults
        self.waiting: dict[str, list[int | str]] = {}
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((request.method, request.raw_path, dict(request.headers), body))
        fault = self._next_fault(request.path) if request.method == "POST" else None
        if isinstance(fault, int):
            return _failed(request, fault)
        answer = await self._forward(request, body)
        if fault == "cut" and request.transport:
            request.transport.abort()
        return answer

    def _next_fault(self, path: str) -> int | str | None:
        faults = self.waiting.setdefault(path, list(self.faults))
        return faults.pop(0) if faults else None

    @property
    def all_met(self) -> bool:
        """Whether every fault has been met on every path that was posted to."""
        return not any(self.waiting.values())

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name != "Content-Length"}
        url = self.target + request.raw_path
        async with self.client.request(request.method, url, data=body, headers=headers) as answer:
            hidden = {"Content-Length", "Transfer-Encoding", "Date", "Server"}
            kept = {name: value for name, value in answer.headers.items() if name not in hidden}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)


def _failed(request: web.Request, status: int) -> web.Response:
    headers = {
        "Access-Control-Allow-Origin": request.headers.get("Origin", "*"),
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "Retry-After",
        "Retry-After": "1",
    }
    body = {"code": "injected", "message": "A fault on the way."}
    return web.json_response(body, status=status, headers=headers)


@asynccontextmanager
async def faulty_way(
    target: str, faults: tuple[int | str, ...], address: str, tls: ssl.SSLContext | None = None
) -> AsyncIterator[FaultyWay]:
    """Yield a way to a collector, on a port of its own of an address; with ``tls`` by HTTPS."""
    async with ClientSession(auto_decompress=False) as client:
        way = FaultyWay(target, client, faults)
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", way.handle)
        runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await runner.setup()
        await web.TCPSite(runner, address, 0, ssl_context=tls).start()
        way.url = f"{'https' if tls else 'http'}://{address}:{runner.addresses[0][1]}"
        try:
            yield way
        finally:
            await runner.cleanup()
