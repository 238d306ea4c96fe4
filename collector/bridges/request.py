"""Read a request from the street: its body within limits, its encoding, the client's address."""

from __future__ import annotations

import asyncio
import time
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collector import metrics
from collector.addresses import address_of, peer_of, within
from collector.exchange import query_of
from collector.model import Hit, Reason, Refusal, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.exchange import Request
    from collector.limits import Limits
    from collector.settings import Settings

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
INFLATED_AT_ONCE = 64 * 1024  # so long does nobody else have a turn: a fifth of a millisecond
_RAW_DEFLATE = -zlib.MAX_WBITS
_LONGEST_PATH = 200
GZIP_MARK = b"\x1f\x8b"
_BOMBS = {Reason.INFLATED_TOO_LARGE, Reason.TOO_LARGE}  # the second is a line's of an import


@dataclass(frozen=True, slots=True)
class Reader:
    """Turn aiohttp's requests into hits, by the settings' limits; all that are inflated share ``turns``."""

    settings: Settings
    limits: Limits
    turns: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read(self, request: Request, source: Source) -> Hit:
        """Return the hit that a request carries.

        Raises Refusal: too_large, inflated_too_large, unknown_encoding, bad_encoding, body_timeout.
        """
        settings = self.settings
        return self.hit(
            request, source, await self.body(request, settings.body_bytes, settings.inflated_bytes)
        )

    def hit(self, request: Request, source: Source, body: bytes, key: str = "") -> Hit:
        """Return the hit of a request whose body has been read."""
        return Hit(
            source=source,
            received_at=time.time_ns() // 1_000_000,
            body=body,
            query=query_of(request),
            headers=request.headers,
            address=self.address(request),
            method=request.method,
            path=request.match_info.get("path", "")[:_LONGEST_PATH],
            proxied=self._proxied(request),
            key=key,
        )

    async def body(self, request: Request, on_wire: int, inflated: int) -> bytes:
        """Return the inflated body. What begins as gzip is gzip, whatever its label says.

        Raises Refusal: too_large, inflated_too_large, unknown_encoding, bad_encoding, body_timeout,
        rate_limited.
        """
        if (request.content_length or 0) > on_wire:
            raise _too_large(on_wire)
        # What came with the head is there: nobody waits for it.
        body = await (request.read() if request.content.is_eof() else self._arriving(request, on_wire))
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        if body.startswith(GZIP_MARK):
            encoding = "gzip"
        if encoding in {"", "identity"}:
            return body
        with self.counting_bombs(request):
            return await inflate_in_turn(body, encoding, inflated, self.turns)

    @contextmanager
    def counting_bombs(self, request: Request) -> Iterator[None]:
        """Count what is inflated meanwhile and is too large as a bomb of the client's address.

        Raises Refusal rate_limited after too many.
        """
        address = address_of(request, self.settings.trusted_proxies, self.settings.trusted_hops)
        self.limits.admit_compressed(address)
        try:
            yield
        except Refusal as refusal:
            if refusal.reason in _BOMBS:
                self.limits.note_bomb(address)
            raise

    async def server_body(self, request: Request) -> bytes:
        """Return the body of a server's request, within the limits for servers. Raises as ``body`` does."""
        limit = self.settings.server_body_bytes
        return await self.body(request, limit, limit)

    async def _arriving(self, request: Request, limit: int) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self.settings.body_seconds):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > limit:
                        raise _too_large(limit)
        except TimeoutError:
            raise Refusal(Reason.BODY_TIMEOUT) from None
        return bytes(body)

    def url(self, request: Request) -> str:
        """Return the address that the sender called: some providers sign it."""
        return self.origin(request) + request.raw_path

    def origin(self, request: Request) -> str:
        """Return scheme and host of the public door, as senders see it."""
        return self.settings.public_url.rstrip("/") or f"{request.scheme}://{request.host}"

    def _proxied(self, request: Request) -> bool:
        """Tell whether the request came from a trusted proxy; a unix socket is this machine."""
        proxies = self.settings.trusted_proxies
        return self.settings.trusted_hops > 0 or (
            bool(proxies) and within(peer_of(request) or "127.0.0.1", proxies)
        )

    def address(self, request: Request) -> str | None:
        """Return the client's address: the peer's, or what trusted proxies say of it."""
        proxies, hops = self.settings.trusted_proxies, self.settings.trusted_hops
        if proxies or hops:
            return address_of(request, proxies, hops)
        if "X-Forwarded-For" in request.headers:
            metrics.FORWARDED_IGNORED.inc()
        return peer_of(request)


def _too_large(limit: int) -> Refusal:
    return Refusal(Reason.TOO_LARGE, f"The limit is {limit} bytes.")


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Return the inflated body of a gzip or deflate encoding, never holding more than the limit.

    Raises Refusal unknown_encoding, bad_encoding, inflated_too_large.
    """
    return b"".join(_pieces(body, encoding, limit))


async def inflate_in_turn(body: bytes, encoding: str, limit: int, turns: asyncio.Lock) -> bytes:
    """Return the inflated body as ``inflate`` does; others have their turn between any two pieces of it.

    However many bodies share ``turns``, after the first piece of each there is one piece of all in a turn.
    """
    pieces = _pieces(body, encoding, limit)
    inflated = [next(pieces)]
    while len(inflated[-1]) == INFLATED_AT_ONCE:  # there may be more
        await take_turn(turns)
        inflated.append(next(pieces, b""))
    return b"".join(inflated)


async def take_turn(turns: asyncio.Lock) -> None:
    """Wait for a round of the loop in which no other body has a piece of it inflated."""
    async with turns:
        await asyncio.sleep(0)


def _pieces(body: bytes, encoding: str, limit: int) -> Iterator[bytes]:
    """Yield the inflated body, at least one piece; all but the last are of one size."""
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise Refusal(Reason.UNKNOWN_ENCODING)
    try:
        yield from _inflated(body, _window(body, encoding), limit)
    except zlib.error:
        raise Refusal(Reason.BAD_ENCODING) from None


def _window(body: bytes, encoding: str) -> int:
    """Return how zlib shall read a body: what some clients call deflate has no header and no checksum."""
    if encoding != "deflate":
        return _GZIP_OR_ZLIB
    try:
        zlib.decompressobj(_GZIP_OR_ZLIB).decompress(body, 1)
    except zlib.error:
        return _RAW_DEFLATE
    return _GZIP_OR_ZLIB


def _inflated(body: bytes, window: int, limit: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(window)
    size = 0
    while not inflater.eof:
        piece = inflater.decompress(body, INFLATED_AT_ONCE)
        body = inflater.unconsumed_tail
        size += len(piece)
        if size > limit:
            raise Refusal(Reason.INFLATED_TOO_LARGE, f"The limit is {limit} bytes.")
        if len(piece) < INFLATED_AT_ONCE and not inflater.eof:
            raise Refusal(Reason.BAD_ENCODING, "It ends too early.")
        yield piece
