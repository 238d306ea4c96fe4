"""Batches as signed calls (Standard Webhooks) to an address on the public internet.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import time
from hashlib import sha256
from typing import TYPE_CHECKING

from aiohttp import DefaultResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import SecretStr  # noqa: TC002 - the option is converted to it

from collector.addresses import is_address, is_public
from collector.protocols.presets import STANDARD
from collector.protocols.signature import sign
from collector.sinks import Away, Limits, SinkError
from collector.sinks.address import read_address
from collector.sinks.calls import Calls, Receiver

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from collector.sinks import Delivery

_FAILURES_TO_OPEN = 5
_OPEN_SECONDS = 60.0
_TRY_SECONDS = 15


def webhook(
    to: str,
    *,
    secret: SecretStr,
    private: bool = False,
    events: int = 100,
    size: int = 256 * 1024,
    seconds: float = 1,
) -> WebhookSink:
    """Make a sink that calls an address; private ones must be allowed. Raises SinkError."""
    host = read_address(to, ("https", "http")).hostname or ""
    if not private and is_address(host) and not is_public(host):
        raise SinkError(f"{host} is no public address; allow it with --set private=true.")
    try:
        sign(STANDARD, secret.get_secret_value(), b"")
    except ValueError:
        raise SinkError("The secret of a webhook is base64, after whsec_.") from None
    return WebhookSink(to, secret.get_secret_value(), Limits(events, size, seconds), private=private)


class WebhookSink:
    """Calls one address; after five failures in a row it leaves it alone for a minute."""

    def __init__(self, url: str, secret: str, limits: Limits, *, private: bool) -> None:
        self.limits = limits
        self._url = url
        self._secret = secret
        self._calls = Calls(_TRY_SECONDS, resolver=None if private else _PublicResolver)
        self._receiver = Receiver(self._calls)
        self._failures = 0
        self._closed_at = 0.0

    async def healthy(self) -> None:
        """Raise Away while the address is left alone."""
        left = self._closed_at - time.monotonic()
        if left > 0:
            raise Away(f"It failed {self._failures} times in a row.", left)

    async def write(self, batch: Sequence[Delivery]) -> None:
        """Send a batch; the same batch has the same id, however often it is sent."""
        body = b'{"batch":[' + b",".join(each.event for each in batch) + b"]}"
        try:
            await self._receiver.send(self._url, body, self._headers(batch, body))
        except Away:
            self._failures += 1
            if self._failures >= _FAILURES_TO_OPEN:
                self._closed_at = time.monotonic() + _OPEN_SECONDS
            raise
        self._failures = 0

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()

    def _headers(self, batch: Sequence[Delivery], body: bytes) -> dict[str, str]:
        entries = "\n".join(f"{each.key} {each.entry}" for each in batch)
        name, now = f"msg_{sha256(entries.encode()).hexdigest()[:32]}", str(int(time.time()))
        signed = f"{name}.{now}.".encode() + body
        return {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": now,
            "webhook-signature": sign(STANDARD, self._secret, signed)[0],
        }


class _PublicResolver(AbstractResolver):
    """Resolves names, and knows none that lead to a private address."""

    def __init__(self) -> None:
        self._inner = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily | int = 0
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)  # type: ignore[arg-type]
        if not all(is_public(each["host"]) for each in found):
            raise OSError(f"{host} leads to a private address")
        return found

    async def close(self) -> None:
        await self._inner.close()
