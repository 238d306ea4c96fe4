"""What a reader needs of any broker: messages, and a way to say that they are safe."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from collector import tls

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence

    from collector.sources.queue import QueueSettings

FETCH_SECONDS = 1.0
CONNECT_SECONDS = 5.0

_LONGEST_ID = 80


class BrokerError(Exception):
    """The broker does not give or take messages at the moment; the message says why in one sentence."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a broker. ``id`` is the same at each delivery; ``token`` is what acknowledges it.

    Where a broker has no such id it is empty, and ``slot`` is what the broker calls the message until it is
    acknowledged; ``again`` tells that it was delivered before.
    """

    body: bytes
    topic: str
    id: str
    token: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    slot: str = ""
    again: bool = False


class Broker(Protocol):
    """A connection to a broker, for one source. Everything but ``close`` raises BrokerError."""

    async def connect(self) -> None:
        """Connect and join the group."""

    async def fetch(self) -> list[Message]:
        """Return the next messages in their order; none when none came within FETCH_SECONDS."""

    async def done(self, messages: Sequence[Message]) -> None:
        """Acknowledge messages, which are safe now."""

    async def close(self) -> None:
        """Leave; what was not acknowledged is delivered again."""


@runtime_checkable
class InSessions(Protocol):
    """A broker whose slots mean something within one session."""

    @property
    def is_new(self) -> bool:
        """Whether the broker knew of no session when it was connected to, and counts from the first again."""


def short(identity: str) -> str:
    """Return an id that leaves room for the place of an event in its message."""
    if len(identity) <= _LONGEST_ID:
        return identity
    return blake2b(identity.encode(errors="surrogatepass"), digest_size=20).hexdigest()


def tls_context(settings: QueueSettings) -> ssl.SSLContext | None:
    """Return how to encrypt, None for not at all. Raises BrokerError when a file cannot be used."""
    if not settings.tls:
        return None
    try:
        return tls.tls_context(settings.ca, settings.certificate, settings.key)
    except tls.TlsError as error:
        raise BrokerError(f"A file for TLS cannot be used: {error}.") from None
