"""Real brokers to read from and to torment: started on a free port, killed, started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import aio_pika
import nats
from nats.js.errors import NotFoundError
from redis.asyncio import Redis

from tests.faults.servers import Server, free_port, opened
from tests.queues.mqtt_broker import Mosquitto

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
        self._url = f"redis://127.0.0.1:{self._server.port}"  # another's, with keys of theirs
        self.settings: dict[str, Any] = {"broker": "redis", "address": self._url, "field": "body"}

    async def publish(self, bodies: Sequence[bytes], headers: Mapping[str, str] | None = None) -> None:
        async with Redis.from_url(self._url, protocol=2) as client, client.pipeline() as pipe:
            for body in bodies:
                pipe.xadd(TOPIC, {"body": body, **(headers or {})})
            await pipe.execute()

    async def waiting(self) -> int:
        async with Redis.from_url(self._url, protocol=2) as client:
            groups: Any = await client.xinfo_groups(TOPIC)
            return sum(group["pending"] + (group["lag"] or 0) for group in groups)

    def kill(self) -> None:
        self._server.kill()

    async def start(self) -> None:
        await asyncio.to_thread(self._server.start)


class Nats:
    """Subjects of a NATS server with JetStream on disk."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._options = options
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._url = f"nats://127.0.0.1:{self.port}"
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
        await self.spawn()
        client = await nats.connect(self._url)
        js = client.jetstream()
        try:
            await js.stream_info("ALL")
        except NotFoundError:
            await js.add_stream(name="ALL", subjects=[TOPIC])
        await client.close()

    async def spawn(self) -> None:
        """Start it as it is, without a stream."""
        self._run()
        await opened(self.port)

    def _run(self) -> None:
        path = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
        command = [shutil.which("nats-server", path=path) or "nats-server", "-a", "127.0.0.1"]
        command += ["-p", str(self.port), "-js", "-sd", str(self._folder), *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class RabbitMQ:
    """A queue of a RabbitMQ, whose messages carry ids as its producers' should."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port, self._names_port = free_port(), free_port()
        self._url = f"amqp://127.0.0.1:{self.port}"
        self._sent = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.settings: dict[str, Any] = {"broker": "rabbitmq", "address": self._url}

    async def publish(self, bodies: Sequence[bytes], headers: Mapping[str, str] | None = None) -> None:
        connection = await aio_pika.connect(self._url)
        channel = await connection.channel()
        sent = [self._message(body, headers) for body in bodies]
        await asyncio.gather(*(channel.default_exchange.publish(each, routing_key=TOPIC) for each in sent))
        await connection.close()

    def _message(self, body: bytes, headers: Mapping[str, str] | None) -> aio_pika.Message:
        self._sent += 1
        return aio_pika.Message(
            body,
            headers=dict(headers or {}),
            message_id=f"m{self._sent}",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )

    async def waiting(self) -> int:
        """Ask the server itself: only it knows what is given out and not acknowledged."""
        cookie = (self._folder / ".erlang.cookie").read_text()
        ask = b"lists:sum([proplists:get_value(messages, rabbit_amqqueue:info(Q, [messages])) || "
        ask += b"Q <- rabbit_amqqueue:list()]).\n"
        asked = await asyncio.create_subprocess_exec(
            *("erl_call", "-sname", "t@localhost", "-c", cookie, "-e"),
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        answer, _ = await asked.communicate(ask)
        return int(answer.decode().removeprefix("{ok, ").removesuffix("}"))

    def kill(self) -> None:
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            subprocess.run(["epmd", "-kill"], env=self._environment, check=False, capture_output=True)

    async def start(self) -> None:
        if self._process is None or self._process.poll() is not None:
            self._spawn()
        await opened(self.port)
        connection = await aio_pika.connect(self._url)
        channel = await connection.channel()
        await channel.declare_queue(TOPIC, durable=True)
        await connection.close()

    async def empty(self) -> None:
        """Make the queue anew."""
        connection = await aio_pika.connect(self._url)
        channel = await connection.channel()
        await channel.queue_delete(TOPIC)
        await channel.declare_queue(TOPIC, durable=True)
        await connection.close()

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "ERL_EPMD_PORT": str(self._names_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_RELAXED_COMMAND_CHECK": "1",  # so that it can be ended just after the server was
            "RABBITMQ_NODENAME": "t@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._folder / "logs"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
        }

    def _spawn(self) -> None:
        # Debian's own script would become another user.
        self._process = subprocess.Popen(
            ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


BROKERS = {"redis": Valkey, "nats": Nats, "mqtt": Mosquitto}


@asynccontextmanager
async def started(kind: str, folder: Path) -> AsyncIterator[Broker]:
    """Yield a running broker."""
    broker = BROKERS[kind](folder / "broker")
    await broker.start()
    try:
        yield broker
    finally:
        broker.kill()
