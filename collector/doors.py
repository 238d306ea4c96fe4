"""The two listeners: how aiohttp is run, whoever runs it."""

from __future__ import annotations

import asyncio
import errno
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from collector.addresses import within
from collector.connections import Connections
from collector.handler import Handler
from collector.lean import LeanDoor
from collector.model import PlainError
from collector.tasks import every_minute, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from collector.app import Collector
    from collector.lean import LeanRoute
    from collector.ports import Ports
    from collector.settings import Settings

# A pixel's query and a proxy's headers must fit; longer ones are answered 400 by the parser.
_HEADER_BYTES = 16 * 1024
_BACKLOG = 1024
_LINGER_SECONDS = 2  # for the rest of a body that was refused
_TODO = {
    errno.EADDRNOTAVAIL: "Name an address of this machine",
    errno.EACCES: "Choose a port from 1024 on, or allow this one",
}


class DoorError(PlainError):
    """A listener cannot be opened; the message is one sentence for a person."""


@asynccontextmanager
async def open_doors(parts: Collector, *, shared: bool = False) -> AsyncIterator[Ports]:
    """Open both listeners; on leaving stop accepting and finish what is under way. Raises DoorError.

    ``shared`` lets several processes listen on the same port.
    """
    settings, ports = parts.settings, parts.ports
    console_at = settings.console_host, settings.console_port
    async with (
        _door(parts.public, settings, (settings.host, settings.port), parts.lean, shared=shared) as public,
        _door(parts.console, settings, console_at, (), shared=shared) as console,
    ):
        ports.public, ports.console = public, console
        yield ports


@asynccontextmanager
async def _door(
    app: web.Application,
    settings: Settings,
    address: tuple[str, int],
    routes: Sequence[LeanRoute],
    *,
    shared: bool,
) -> AsyncIterator[int]:
    """Yield the port of a listener. What its lean routes do not serve is aiohttp's."""
    options = _options(settings)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=_finish_seconds(settings), **options)
    await runner.setup()
    connections = _connections(settings)
    aiohttp = partial(Handler, cast("web.Server", runner.server), connections, **options)
    lean = LeanDoor(routes, aiohttp, connections=connections, idle_seconds=settings.keepalive_seconds)
    server = await _listen(lean.connect if routes else aiohttp, address, shared=shared)
    try:
        forgetting = every_minute(lean.heads.forget)
        async with running(lean.run()), running(connections.run()), running(forgetting):
            yield server.sockets[0].getsockname()[1]
            server.close()
            await lean.close(_finish_seconds(settings))
    finally:
        server.close()
        await runner.cleanup()


def _options(settings: Settings) -> dict[str, Any]:
    """Return how aiohttp reads requests."""
    return {
        "access_log": None,
        "keepalive_timeout": settings.keepalive_seconds,  # also the longest time for a head to arrive
        "lingering_time": _LINGER_SECONDS,
        "max_line_size": _HEADER_BYTES,
        "max_field_size": _HEADER_BYTES,
        "auto_decompress": False,  # bodies are inflated by our own bounded reader
    }


def _connections(settings: Settings) -> Connections:
    """Return the connections of a listener; behind a trusted proxy are many clients."""

    def shared(address: str) -> bool:
        return settings.trusted_hops > 0 or within(address, settings.trusted_proxies)

    return Connections(settings.connections, settings.connections_per_address, shared)


def _finish_seconds(settings: Settings) -> float:
    """Return the time for answers under way; the other half is to flush."""
    return max(1, settings.grace_seconds - settings.unready_seconds) / 2


async def _listen(
    factory: Callable[[], asyncio.BaseProtocol], address: tuple[str, int], *, shared: bool
) -> asyncio.Server:
    host, port = address
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(factory, host, port, reuse_port=shared or None, backlog=_BACKLOG)
    except OSError as error:
        reason = (error.strerror or str(error)).split(": ")[-1]
        todo = _TODO.get(error.errno or 0, "Choose another port")
        raise DoorError(f"Cannot listen on {host} port {port}: {reason}. {todo}.") from None
