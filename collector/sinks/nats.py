"""Events as messages of a subject of NATS JetStream, whose server drops what comes twice."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from nats.aio.client import Client
from nats.errors import AuthorizationError, BadSubjectError, MaxPayloadError
from nats.errors import Error as NatsError
from nats.js.errors import NoStreamResponseError, NotFoundError
from pydantic import SecretStr  # noqa: TC002 - the option is converted to it

from collector.sinks import Away, Limits, Rejected, SinkError
from collector.sinks.address import NO_SECRET, read_address, tls_context
from collector.sinks.broker import CONNECT_SECONDS, BrokerSink
from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.sinks.broker import Parcel

_CONFIRM_SECONDS = 5.0  # the library does not notice meanwhile that the server is gone


def nats(
    to: str,
    *,
    user: str = "",
    password: SecretStr = NO_SECRET,
    ca: str = "",
    certificate: str = "",
    key: str = "",
    events: int = 1000,
    size: int = 4 * 1024**2,
    seconds: float = 0.5,
) -> BrokerSink:
    """Make a sink of nats://HOST:PORT/SUBJECT; tls:// encrypts. Raises SinkError."""
    parts = read_address(to, ("nats", "tls"))
    subject = parts.path.strip("/")
    if not subject:
        raise SinkError("The target names no subject: nats://HOST:PORT/SUBJECT.")
    options = _login(user, password.get_secret_value())
    if parts.scheme == "tls":
        options["tls"] = tls_context(ca, certificate, key)
    producer = NatsProducer(f"{parts.scheme}://{parts.netloc}", subject, options)
    return BrokerSink(producer, Limits(events, size, seconds))


class NatsProducer:
    """A connection that publishes to one subject, of which a stream must exist."""

    def __init__(self, url: str, subject: str, options: dict[str, Any]) -> None:
        self._url = url
        self._subject = subject
        self._options = options
        self._client: Any = None
        self._stream: Any = None

    async def connect(self) -> None:
        """Connect, and see that a stream holds the subject."""
        with self._explained():
            self._client = Client()
            await self._client.connect(
                self._url,
                allow_reconnect=False,
                max_reconnect_attempts=1,  # at first too: else it tries for two minutes before it says so
                reconnect_time_wait=0,
                connect_timeout=int(CONNECT_SECONDS),
                error_cb=_quiet,
                **self._options,
            )
            self._stream = self._client.jetstream(timeout=_CONFIRM_SECONDS)
            await self._stream.find_stream_name_by_subject(self._subject)

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """Publish messages; the server knows by their ids what it has within its duplicate window."""
        with self._explained():
            await asyncio.gather(*(self._publish(each) for each in parcels))

    async def close(self) -> None:
        """Leave."""
        if self._client is not None:
            with suppress(NatsError, OSError, TimeoutError):
                await self._client.close()
            if self._client._transport:  # noqa: SLF001 - left open when the server is gone, and nobody else can
                self._client._transport.close()  # noqa: SLF001 - the same

    async def _publish(self, parcel: Parcel) -> None:
        headers = {"Nats-Msg-Id": parcel.id, **parcel.headers}
        await self._stream.publish(self._subject, parcel.body, headers=headers)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (NoStreamResponseError, NotFoundError):
            raise SinkError(f"No stream of JetStream holds {self._subject}.") from None
        except MaxPayloadError:
            raise Rejected("It is larger than NATS takes.") from None
        except BadSubjectError:
            raise SinkError(f"{self._subject} is no subject to publish to.") from None
        except (NatsError, OSError, TimeoutError) as error:
            if isinstance(error, AuthorizationError) or "authorization" in str(error).lower():
                raise SinkError("NATS does not accept the user and password, or the token.") from None
            raise Away(f"NATS does not take messages now: {why(error)}.") from None


def _login(user: str, password: str) -> dict[str, Any]:
    if user:
        return {"user": user, "password": password}
    return {"token": password} if password else {}


async def _quiet(_error: Exception) -> None:
    """Take what the library would log: what fails tells it."""
