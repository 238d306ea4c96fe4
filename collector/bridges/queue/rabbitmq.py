"""Queues of RabbitMQ: messages are pushed, as many as are not acknowledged yet."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import aio_pika
from aio_pika.exceptions import AMQPException

from collector.bridges.queue.broker import (
    CONNECT_SECONDS,
    FETCH_SECONDS,
    BrokerError,
    Message,
    short,
    tls_context,
)
from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiormq.abc import DeliveredMessage

    from collector.sources.queue import QueueSettings


class RabbitQueue:
    """A queue, which must exist. Workers that read the same one share its messages."""

    def __init__(self, settings: QueueSettings, _worker: str) -> None:
        self._settings = settings
        self._connection: Any = None
        self._channel: Any = None
        self._come: asyncio.Queue[DeliveredMessage] = asyncio.Queue()

    async def connect(self) -> None:
        """Connect and begin to be sent messages."""
        settings = self._settings
        with _explained():
            self._connection = await aio_pika.connect(
                _url(settings), timeout=CONNECT_SECONDS, ssl_context=tls_context(settings)
            )
            channel = await self._connection.channel()
            await channel.set_qos(prefetch_count=settings.prefetch)
            await channel.declare_queue(settings.topic, passive=True)
            # What lies below makes less of a message, and so takes less time.
            self._channel = await channel.get_underlay_channel()
            await self._channel.basic_consume(settings.topic, self._come.put)

    async def fetch(self) -> list[Message]:
        """Return what has come."""
        with _explained():
            if self._channel.is_closed:
                raise BrokerError("The connection is closed.")
            found: list[DeliveredMessage] = []
            with contextlib.suppress(TimeoutError):
                found.append(await asyncio.wait_for(self._come.get(), FETCH_SECONDS))
            while found and not self._come.empty():
                found.append(self._come.get_nowait())
            return [_message(each) for each in found]

    async def done(self, messages: Sequence[Message]) -> None:
        """Acknowledge messages: with the last all that came before it, which were done before."""
        with _explained():
            await self._channel.basic_ack(messages[-1].token, multiple=True)

    async def close(self) -> None:
        """Leave; what was not acknowledged goes back to its place in the queue."""
        if self._connection:
            with contextlib.suppress(AMQPException, OSError, TimeoutError):
                await self._connection.close()


def _url(settings: QueueSettings) -> str:
    """Return the address with the login: a user of RabbitMQ is needed, and guest is the one it ships with."""
    scheme, _, place = settings.url.partition("://")
    password = settings.password.get_secret_value() or "guest"
    return f"{scheme}://{quote(settings.user or 'guest', safe='')}:{quote(password, safe='')}@{place}"


def _message(found: DeliveredMessage) -> Message:
    about = found.header.properties
    headers = {str(name): str(value) for name, value in (about.headers or {}).items()}
    if about.content_type:
        headers["Content-Type"] = about.content_type
    identity = about.message_id or str(uuid4())
    return Message(found.body, found.routing_key or "", short(identity), found.delivery_tag, headers)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (AMQPException, OSError, TimeoutError, RuntimeError) as error:
        raise BrokerError(why(error)) from None
