"""Subjects of NATS JetStream, pulled through a durable consumer that workers share."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

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

    from nats.aio.msg import Msg

    from collector.sources.queue import QueueSettings

_FIRST = {"oldest": DeliverPolicy.ALL, "newest": DeliverPolicy.NEW}
_MORE_SECONDS = 0.02
_CLOSE_SECONDS = 2
_HELD = 10  # times prefetch: what all workers of a group may hold together


class NatsSubject:
    """A subject of a stream, which must exist, and a durable consumer, which is made when it does not."""

    def __init__(self, settings: QueueSettings, _worker: str) -> None:
        self._settings = settings
        self._client: Any = None
        self._pull: Any = None

    async def connect(self) -> None:
        """Connect and join the consumer. One of that name with another subject is left alone."""
        settings = self._settings
        with _explained():
            login = _login(settings)
            self._client = Client()  # known before it connects: who is not let in has a socket to close
            await self._client.connect(
                settings.url,
                allow_reconnect=False,
                max_reconnect_attempts=1,  # at first too: else it tries for two minutes before it says so
                reconnect_time_wait=0,
                connect_timeout=int(CONNECT_SECONDS),
                error_cb=_quiet,
                **login,
            )
            js = self._client.jetstream(timeout=CONNECT_SECONDS)
            try:
                stream = await js.find_stream_name_by_subject(settings.topic)
            except NotFoundError:
                raise BrokerError(f"No stream of JetStream holds {settings.topic}.") from None
            self._pull = await js.pull_subscribe(
                settings.topic, settings.group, stream, ConsumerConfig(**_consumer(settings))
            )
            reads = (await self._pull.consumer_info()).config.filter_subject
            if reads != settings.topic:
                raise BrokerError(f"The consumer {settings.group} reads {reads}: choose another group.")

    async def fetch(self) -> list[Message]:
        """Return the next messages: the first when it comes, and what has come with it."""
        with _explained():
            found: list[Msg] = await self._some(1, FETCH_SECONDS)
            if found and self._settings.prefetch > 1:
                found += await self._some(self._settings.prefetch - 1, _MORE_SECONDS)
            return [_message(each) for each in found]

    async def done(self, messages: Sequence[Message]) -> None:
        """Acknowledge messages."""
        with _explained():
            for each in messages:
                await each.token.ack()
            await self._client.flush()

    async def close(self) -> None:
        """Leave."""
        if self._client:
            with contextlib.suppress(NatsError, OSError, TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):  # after a TLS handshake that failed it never ends
                    await self._client.close()

    async def _some(self, count: int, seconds: float) -> list[Msg]:
        try:
            found: list[Msg] = await self._pull.fetch(count, timeout=seconds)
        except TimeoutError:
            if not self._client.is_connected:
                raise BrokerError("The connection is closed.") from None
            return []
        return found


def _consumer(settings: QueueSettings) -> dict[str, Any]:
    return {
        "ack_policy": AckPolicy.EXPLICIT,
        "ack_wait": settings.takeover_seconds,
        "deliver_policy": _FIRST[settings.start],
        "max_ack_pending": settings.prefetch * _HELD,
    }


def _login(settings: QueueSettings) -> dict[str, Any]:
    password = settings.password.get_secret_value()
    login: dict[str, Any] = {"tls": context} if (context := tls_context(settings)) else {}
    if settings.user:
        return {**login, "user": settings.user, "password": password}
    return {**login, "token": password} if password else login


def _message(found: Msg) -> Message:
    # A stream that is made anew counts from one again: the time tells its messages from the old ones.
    about = found.metadata
    place = f"{about.stream}-{about.sequence.stream}-{int(about.timestamp.timestamp() * 1e6)}"
    headers = {str(name): str(value) for name, value in (found.headers or {}).items()}
    identity = headers.get("Nats-Msg-Id") or place
    return Message(found.data, found.subject, short(identity), found, headers)


async def _quiet(_error: Exception) -> None:
    """Take what the library would log: who reads is told by what fails."""


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (NatsError, OSError, TimeoutError) as error:
        raise BrokerError(why(error)) from None
