"""Events as messages of a topic of Kafka, keyed by visitor; its own retries write nothing twice."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from pydantic import SecretStr  # noqa: TC002 - the option is converted to it

from collector.sinks import Away, Limits, Rejected, SinkError
from collector.sinks.address import NO_SECRET, read_address, tls_context
from collector.sinks.broker import CONFIRM_SECONDS, BrokerSink
from collector.store.kafka import CONNECT_SECONDS, KafkaPlace
from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.sinks.broker import Parcel

_LINGER_MS = 5  # the messages of a batch come at once, and are sent together


def kafka(
    to: str,
    *,
    user: str = "",
    password: SecretStr = NO_SECRET,
    sasl: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN",
    ca: str = "",
    certificate: str = "",
    key: str = "",
    events: int = 2000,
    size: int = 8 * 1024**2,
    seconds: float = 0.5,
) -> BrokerSink:
    """Make a sink of kafka://HOST:PORT,HOST:PORT/TOPIC; kafka+ssl:// encrypts. Raises SinkError."""
    parts = read_address(to, ("kafka", "kafka+ssl"))
    topic = parts.path.strip("/")
    if not topic:
        raise SinkError("The target names no topic: kafka://HOST:PORT/TOPIC.")
    tls = tls_context(ca, certificate, key) if parts.scheme == "kafka+ssl" else None
    place = KafkaPlace(tuple(parts.netloc.split(",")), user, password.get_secret_value(), sasl, tls)
    return BrokerSink(KafkaProducer(place, topic), Limits(events, size, seconds))


class KafkaProducer:
    """An idempotent producer to one topic, which must exist."""

    def __init__(self, place: KafkaPlace, topic: str) -> None:
        self._place = place
        self._topic = topic
        self._producer: Any = None
        self._confirmed: set[str] = set()  # of parcels that came with others which were not

    async def connect(self) -> None:
        """Connect, and see that the topic is there."""
        with self._explained():
            self._producer = AIOKafkaProducer(
                **self._place.options, enable_idempotence=True, linger_ms=_LINGER_MS
            )
            await self._place.start(self._producer)
            await self._producer.partitions_for(self._topic)

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """Send what was not confirmed yet, and wait until all replicas in sync have it."""
        with self._explained():
            async with asyncio.timeout(CONFIRM_SECONDS):
                sent = [await self._begin(each) for each in parcels if each.id not in self._confirmed]
                answers = await asyncio.gather(*sent, return_exceptions=True)
            if failures := [each for each in answers if isinstance(each, BaseException)]:
                raise max(failures, key=lambda each: isinstance(each, MessageSizeTooLargeError))
        self._confirmed.difference_update(each.id for each in parcels)

    async def close(self) -> None:
        """Leave, and forget what was not confirmed."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await asyncio.wait([asyncio.create_task(_stop(producer))], timeout=CONNECT_SECONDS)

    async def _begin(self, parcel: Parcel) -> asyncio.Future[Any]:
        """Send a message, and return its confirmation; the library itself refuses what is much too large."""
        headers = [(name, value.encode()) for name, value in parcel.headers.items()]
        confirmation: asyncio.Future[Any]
        try:
            confirmation = await self._producer.send(
                self._topic, parcel.body, key=parcel.visitor.encode(), headers=headers
            )
        except MessageSizeTooLargeError as error:
            confirmation = asyncio.get_running_loop().create_future()
            confirmation.set_exception(error)
        confirmation.add_done_callback(partial(self._note, parcel.id))
        return confirmation

    def _note(self, parcel_id: str, confirmation: asyncio.Future[Any]) -> None:
        if not confirmation.cancelled() and confirmation.exception() is None:
            self._confirmed.add(parcel_id)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except MessageSizeTooLargeError:
            raise Rejected("It is larger than Kafka takes.") from None
        except (AuthenticationFailedError, SaslAuthenticationFailed):
            raise SinkError("Kafka does not accept the user and password.") from None
        except TopicAuthorizationFailedError:
            raise SinkError(f"Kafka does not let us write to {self._topic}.") from None
        except UnknownTopicOrPartitionError:
            raise SinkError(f"Kafka has no topic {self._topic}, or does not show it to us.") from None
        except (KafkaError, OSError, TimeoutError) as error:
            raise Away(f"Kafka does not take messages now: {why(error)}.") from None


async def _stop(producer: Any) -> None:
    with suppress(asyncio.CancelledError, KafkaError, OSError):
        # Else what was given up, and is sent again, would be sent as well once the broker is back.
        producer._message_accumulator.fail_all(KafkaError("The sink has left."))  # noqa: SLF001
        await producer.stop()
    await producer.client.close()
