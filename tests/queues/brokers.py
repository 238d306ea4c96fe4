"""Real brokers to read from and to torment: started on a free port, killed, started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import nats
from nats.js.errors import NotFoundError
from redis.asyncio import Redis

from tests.faults.servers import Server, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

TOPIC = "orders"


class Broker(Protocol):
    """A broker under test: what a source is told of it, and what a producer and an operator do."""

    settings: dict[str, Any]

    async def publish(self, bodies: Sequence[bytes], headers: Mapping[str, str] | None = None) -> None: ...
    async def waiting(self) -> int:
        """Return how many messages the group has not acknowledged, given out or not."""

    def kill(self) -> None: ...
    async def start(self) -> None: ...


class Valkey:
    """Streams of a Valkey."""

    def __init__(self, folder: Path) -> None:
        self._server = Server(folder)
        self.settings: dict[str, Any] = {"broker": "redis", "address": self._server.url, "field": "body"}

    async def publish(self, bodies: Sequence[bytes], headers: Mapping[str, str] | None = None) -> None:
        async with Redis.from_url(self._server.url, protocol=2) as client, client.pipeline() as pipe:
            for body in bodies:
                pipe.xadd(TOPIC, {"body": body, **(headers or {})})
            await pipe.execute()

    async def waiting(self) -> int:
        async with Redis.from_url(self._server.url, protocol=2) as client:
            groups: Any = await client.xinfo_groups(TOPIC)
            return sum(group["pending"] + (group["lag"] or 0) for group in groups)

    def kill(self) -> None:
        self._server.kill()

    async def start(self) -> None:
        await asyncio.to_thread(self._server.start)


class Nats:
    """Subjects of a NATS server with JetStream on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._url = f"nats://127.0.0.1:{self._port}"
        self.settings: dict[str, Any] = {"broker": "nats", "address": self._url}

    async def publish(self, bodies: Sequence[bytes], headers: Mapping[str, str] | None = None) -> None:
        client = await nats.connect(self._url)
        js = client.jetstream()
        for body in bodies:
            await js.publish(TOPIC, body, headers=dict(headers) if headers else None)
        await client.close()

    async def waiting(self) -> int:
        client = await nats.connect(self._url)
        about = await client.jetstream().consumer_info("ALL", "headwater")
        await client.close()
        return int(about.num_pending or 0) + int(about.num_ack_pending or 0)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    async def start(self) -> None:
        self._spawn()
        await _open(self._port)
        client = await nats.connect(self._url)
        js = client.jetstream()
        try:
            await js.stream_info("ALL")
        except NotFoundError:
            await js.add_stream(name="ALL", subjects=[TOPIC])
        await client.close()

    def _spawn(self) -> None:
        path = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
        command = [shutil.which("nats-server", path=path) or "nats-server", "-a", "127.0.0.1"]
        command += ["-p", str(self._port), "-js", "-sd", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def _open(port: int) -> None:
    """Wait until somebody listens on a port."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


BROKERS = {"redis": Valkey, "nats": Nats}


@asynccontextmanager
async def started(kind: str, folder: Path) -> AsyncIterator[Broker]:
    """Yield a running broker."""
    broker = BROKERS[kind](folder / "broker")
    await broker.start()
    try:
        yield broker
    finally:
        broker.kill()
