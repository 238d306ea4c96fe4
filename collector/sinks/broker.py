"""Events as messages of a broker: as they are, with what a reader needs beside them. It knows no broker."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from collector.sinks import Away, Rejected, SinkError
from collector.sinks.messages import readable, visitor_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.sinks import Delivery, Limits

CONNECT_SECONDS = 5.0
CONFIRM_SECONDS = 10.0
_PLAIN = string.punctuation.replace("%", "") + " "  # the rest of a header is written as in addresses


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message: ``id`` is the same however often it is sent, ``visitor`` is the key that keeps order."""

    id: str
    visitor: str
    headers: dict[str, str]
    body: bytes


class Producer(Protocol):
    """A connection to a broker. ``connect`` and ``send`` raise Away, Rejected, SinkError."""

    async def connect(self) -> None:
        """Connect, and see that there is a place for the messages."""

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """Send messages in their order, and return once the broker has confirmed all of them.

        After it has raised, it is closed, and some of the messages come again.
        """

    async def close(self) -> None:
        """Leave; it may be connected again."""


class BrokerSink:
    """A producer as a sink: connected when it is needed, and again after it has failed."""

    def __init__(self, producer: Producer, limits: Limits) -> None:
        self.limits = limits
        self._producer = producer
        self._connected = False

    async def healthy(self) -> None:
        """Connect. Raises Away, SinkError."""
        if not self._connected:
            try:
                await self._producer.connect()
            except BaseException:
                await self._producer.close()
                raise
            self._connected = True

    async def write(self, batch: Sequence[Delivery]) -> None:
        """Send a batch."""
        parcels = [_parcel(each) for each in batch]
        try:
            await self._producer.send(parcels)
        except (Away, Rejected, SinkError, OSError):
            await self.close()
            raise

    async def close(self) -> None:
        """Leave the broker."""
        self._connected = False
        await self._producer.close()


def _parcel(delivery: Delivery) -> Parcel:
    event = readable(delivery)
    visitor, source = _plain(visitor_of(event)), _plain(delivery.source)
    identity = f"{source}/{_plain(str(event.get('messageId') or delivery.entry))}"
    headers = {"id": identity, "source": source, "type": _plain(delivery.type), "visitor": visitor}
    return Parcel(identity, visitor, headers, delivery.event)


def _plain(text: str) -> str:
    return quote(text, safe=_PLAIN)
