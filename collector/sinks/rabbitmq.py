"""Events as messages of a queue or an exchange of RabbitMQ, each confirmed by the broker."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aio_pika
from aio_pika.exceptions import (
    AMQPException,
    AuthenticationError,
    ChannelNotFoundEntity,
    ProbableAuthenticationError,
    PublishError,
)
from pydantic import SecretStr  # noqa: TC002 - the option is converted to it

from collector.sinks import Away, Limits, SinkError
from collector.sinks.address import NO_SECRET, read_address, tls_context
from collector.sinks.broker import CONFIRM_SECONDS, CONNECT_SECONDS, BrokerSink
from collector.wording import why

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Sequence

    from collector.sinks.broker import Parcel


def rabbitmq(
    to: str,
    *,
    queue: str = "",
    exchange: str = "",
    user: str = "guest",
    password: SecretStr = NO_SECRET,
    ca: str = "",
    certificate: str = "",
    key: str = "",
    events: int = 1000,
    size: int = 4 * 1024**2,
    seconds: float = 0.5,
) -> BrokerSink:
    """Make a sink of a queue, or of an exchange with visitors as routing keys. Raises SinkError."""
    parts = read_address(to, ("amqp", "amqps"))
    if bool(queue) == bool(exchange):
        raise SinkError("Name the queue or the exchange: --set queue=NAME or --set exchange=NAME.")
    secret = quote(password.get_secret_value() or "guest", safe="")
    url = f"{parts.scheme}://{quote(user, safe='')}:{secret}@{parts.netloc}{parts.path}"
    tls = tls_context(ca, certificate, key) if parts.scheme == "amqps" else None
    return BrokerSink(RabbitProducer(url, queue, exchange, tls), Limits(events, size, seconds))


class RabbitProducer:
    """A channel with publisher confirms to a queue or an exchange, which must exist."""

    def __init__(self, url: str, queue: str, exchange: str, tls: ssl.SSLContext | None) -> None:
        self._url = url
        self._queue = queue
        self._name = exchange
        self._tls = tls
        self._connection: Any = None
        self._exchange: Any = None

    async def connect(self) -> None:
        """Connect, and see that the queue or the exchange is there."""
        with self._explained():
            self._connection = await aio_pika.connect(
                self._url, timeout=CONNECT_SECONDS, ssl_context=self._tls
            )
            channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            if self._queue:
                await channel.declare_queue(self._queue, passive=True)
                self._exchange = channel.default_exchange
            else:
                self._exchange = await channel.get_exchange(self._name)

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """Publish messages, to disk, and wait for the confirmation of each."""
        with self._explained():
            await asyncio.gather(*(self._publish(each) for each in parcels))

    async def close(self) -> None:
        """Leave."""
        if self._connection is not None:
            with suppress(AMQPException, OSError, TimeoutError, RuntimeError):
                await self._connection.close()

    async def _publish(self, parcel: Parcel) -> None:
        message = aio_pika.Message(
            parcel.body,
            headers=dict(parcel.headers),
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=parcel.id,
            type=parcel.headers["type"],
        )
        key = self._queue or parcel.visitor[:255]
        await self._exchange.publish(message, routing_key=key, mandatory=True, timeout=CONFIRM_SECONDS)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        place = self._queue or self._name
        try:
            yield
        except (AuthenticationError, ProbableAuthenticationError):
            raise SinkError("RabbitMQ does not accept the user and password.") from None
        except ChannelNotFoundEntity:
            raise SinkError(f"RabbitMQ has no queue or exchange {place}.") from None
        except PublishError:
            raise SinkError(f"No queue takes what is sent to {place}.") from None
        except (AMQPException, OSError, TimeoutError, RuntimeError) as error:
            raise Away(f"RabbitMQ does not take messages now: {why(error)}.") from None
