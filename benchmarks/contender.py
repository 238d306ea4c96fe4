"""The two that are measured: the collector, and nginx with Lua as the yardstick. Each is started here."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from benchmarks.catalogue import fill
from benchmarks.process import running
from collector.cli.context import opened
from collector.settings import Settings
from collector.sources import check_form
from collector.store import Names

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SOURCE = "bench"
_HERE = Path(__file__).parent
_START_SECONDS = 120  # with a hundred thousand sources


@dataclass(frozen=True, slots=True)
class Contender:
    """A running contender: where hits go, the stream that its events reach, the process that pays."""

    name: str
    url: str
    stream: str
    pid: int


@asynccontextmanager
async def headwater(
    folder: Path, redis_url: str, *flags: object, sources: int = 1
) -> AsyncIterator[Contender]:
    """Yield the collector with its settings' defaults, but for ``flags``, and its web sources."""
    port = free_port()
    data = folder / "headwater"
    await _add_sources(Settings(data=data, redis_url=redis_url), sources)
    address = ("--host", "127.0.0.1", "--port", port, "--console-port", 0)
    where = ("--data", data, "--redis-url", redis_url)
    command = (sys.executable, "-m", "collector", "serve", *address, *where, *flags)
    async with _serving("headwater", port, Names().stream(0), command) as contender:
        yield contender


@asynccontextmanager
async def yardstick(folder: Path, redis_url: str) -> AsyncIterator[Contender]:
    """Yield nginx with one worker that does the least a collector can do."""
    port = free_port()
    prefix = folder / "nginx"
    prefix.mkdir(exist_ok=True)
    stream = "yardstick"
    filled = Template((_HERE / "nginx.conf").read_text(encoding="utf-8")).substitute(
        user=f"{pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name}",
        port=port,
        socket=redis_url.removeprefix("unix://"),
        stream=stream,
        script=_HERE / "yardstick.lua",
    )
    (prefix / "nginx.conf").write_text(filled, encoding="utf-8")
    command = ("nginx", "-p", prefix, "-c", prefix / "nginx.conf", "-e", prefix / "error.log")
    async with _serving("nginx+Lua", port, stream, command) as contender:
        yield contender


async def _add_sources(settings: Settings, number: int) -> None:
    async with opened(settings) as (redis, names, catalogue):
        await fill(redis, names, number - 1)
        if catalogue.find(SOURCE) is None:
            await catalogue.add(check_form({"id": SOURCE, "name": "Benchmark", "bridge": "web"}))


@asynccontextmanager
async def _serving(
    name: str, port: int, stream: str, command: tuple[object, ...]
) -> AsyncIterator[Contender]:
    async with running(*command) as process:
        await _wait_until_open(name, port, process)
        yield Contender(name, f"http://127.0.0.1:{port}/e/{SOURCE}", stream, process.pid)


async def _wait_until_open(name: str, port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            if process.returncode is not None:
                _, errors = await process.communicate()
                raise RuntimeError(f"{name} stopped at once: {errors.decode(errors='replace')[-500:]}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
