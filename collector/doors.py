"""The two listeners: how aiohttp is run, whoever runs it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collector.app import Collector
    from collector.ports import Ports
    from collector.settings import Settings

# A pixel's query and a proxy's headers must fit; longer ones are answered 400 by the parser.
_HEADER_BYTES = 16 * 1024
_BACKLOG = 1024


class DoorError(Exception):
    """A listener cannot be opened; the message is one sentence for a person."""


@asynccontextmanager
async def open_doors(running: Collector, *, shared: bool = False) -> AsyncIterator[Ports]:
    """Open both listeners; on leaving stop accepting and finish what is under way. Raises DoorError.

    ``shared`` lets several processes listen on the same port.
    """
    settings = running.settings
    public, console = _runner(running.public, settings), _runner(running.console, settings)
    try:
        running.ports.public = await _listen(public, settings.host, settings.port, shared=shared)
        running.ports.console = await _listen(
            console, settings.console_host, settings.console_port, shared=shared
        )
        yield running.ports
    finally:
        await asyncio.gather(public.cleanup(), console.cleanup())


def _runner(app: web.Application, settings: Settings) -> web.AppRunner:
    return web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=settings.keepalive_seconds,
        max_line_size=_HEADER_BYTES,
        max_field_size=_HEADER_BYTES,
        auto_decompress=False,  # bodies are inflated by our own bounded reader
        shutdown_timeout=max(1, settings.grace_seconds - settings.unready_seconds) / 2,  # half is to flush
    )


async def _listen(runner: web.AppRunner, host: str, port: int, *, shared: bool) -> int:
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, reuse_port=shared or None, backlog=_BACKLOG).start()
    except OSError as error:
        reason = (error.strerror or str(error)).split(": ")[-1]
        raise DoorError(f"Cannot listen on {host} port {port}: {reason}. Choose another port.") from None
    return int(runner.addresses[0][1])
