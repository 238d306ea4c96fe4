"""Connections to Kafka: how its clients are told where it is and who we are, and why they cannot connect."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError

if TYPE_CHECKING:
    import ssl

CONNECT_SECONDS = 5.0


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


__all__ = ["CONNECT_SECONDS", "KafkaError", "KafkaPlace", "stop_consumer"]
