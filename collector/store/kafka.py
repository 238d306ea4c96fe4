"""Connections to Kafka: how its clients are told where it is and who we are, and why they cannot connect."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError

from collector.store.connect import StoreError
from collector.tls import TlsError, tls_context

if TYPE_CHECKING:
    import ssl

CONNECT_SECONDS = 5.0
_SASL = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True, slots=True)
class KafkaPlace:
    """Some of a cluster's brokers, as host:port, and a login. ``tls`` is None for no encryption."""

    hosts: tuple[str, ...]
    user: str
    password: str
    sasl: str
    tls: ssl.SSLContext | None

    @property
    def options(self) -> dict[str, Any]:
        """What every client of aiokafka is given."""
        return {"bootstrap_servers": list(self.hosts), **self._security}

    async def start(self, client: Any) -> None:
        """Start a client. Raises KafkaError, OSError, TimeoutError, which say why it cannot connect."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS * 2):
                await client.start()
        except KafkaConnectionError:
            await self._explain()
            raise

    async def _explain(self) -> None:
        """Raise what keeps us from the first broker: the library logs it and says that it could not."""
        host, _, port = self.hosts[0].partition(":")
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await create_conn(host, int(port or 9092), **self._security)
        connection.close()

    @property
    def _security(self) -> dict[str, Any]:
        login = {
            "sasl_mechanism": self.sasl,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
        }
        return {
            "request_timeout_ms": int(CONNECT_SECONDS * 1000),
            "security_protocol": ("SASL_" if self.user else "") + ("SSL" if self.tls else "PLAINTEXT"),
            "ssl_context": self.tls,
            **(login if self.user else {}),
        }


def place_of(address: str) -> KafkaPlace:
    """Return the place of ``kafka[+ssl]://[user:password@]host[:port],…[?sasl=…&ca=…&certificate=…&key=…]``.

    Raises StoreError when a file for TLS cannot be read, or nobody signs in by what ``sasl`` says.
    """
    scheme, _, rest = address.partition("://")
    rest, _, query = rest.partition("?")
    login, _, hosts = rest.rpartition("@")
    user, _, password = login.partition(":")
    told = {"sasl": _SASL[0], **dict(parse_qsl(query))}
    if told["sasl"] not in _SASL:
        raise StoreError(f"stream (HEADWATER_STREAM): sasl is one of {', '.join(_SASL)}.")
    tls = None
    if scheme == "kafka+ssl":
        try:
            tls = tls_context(told.get("ca", ""), told.get("certificate", ""), told.get("key", ""))
        except TlsError as error:
            raise StoreError(f"stream (HEADWATER_STREAM): a file for TLS cannot be used: {error}.") from None
    names = tuple(hosts.rstrip("/").split(","))
    return KafkaPlace(names, unquote(user), unquote(password), told["sasl"], tls)


async def stop_consumer(consumer: Any) -> None:
    """Stop a consumer, in a task of its own: without a broker the library is cancelled by its own tasks.

    It then leaves its connections open (aiokafka 0.14, Fetcher.close).
    """
    stopping = asyncio.create_task(_stop(consumer))
    await asyncio.wait([stopping], timeout=CONNECT_SECONDS)


async def _stop(consumer: Any) -> None:
    with contextlib.suppress(asyncio.CancelledError, KafkaError, OSError):
        await consumer.stop()
    await consumer._client.close()  # noqa: SLF001 - nobody else can


__all__ = ["CONNECT_SECONDS", "KafkaError", "KafkaPlace", "place_of", "stop_consumer"]
