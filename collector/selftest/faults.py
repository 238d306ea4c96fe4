"""Faults that can be caused from outside: slow, cut, malformed and oversized hits. It speaks bare HTTP.

A collector passes when it answers each as the sender's fault, or ends the connection, in time and with no
5xx, and what was sent again whole is in the stream once.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from collector.selftest.load import HEADERS, batch_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    Cause = Callable[["Target"], Awaitable["Outcome"]]

_PATIENCE_SECONDS = 30.0  # a body may take body_seconds, 10 unless set otherwise
_SLOW_CONNECTIONS = 20
_DRIP_SECONDS = 0.25
_SUCCESS, _CLIENT_ERROR, _SERVER_ERROR = 200, 400, 500
_MEGABYTE = 1024 * 1024
_PLAIN_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """Where beacons are posted to, and the first part of the ids of what must arrive."""

    url: str
    mark: str = "selftest-break"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a fault: a sentence, whether that is right, and the events that were acknowledged."""

    told: str
    passed: bool
    acknowledged: tuple[str, ...] = ()


async def slow(target: Target) -> Outcome:
    """Hold connections with bodies that come a byte at a time."""
    began = time.monotonic()
    statuses = await asyncio.gather(*(_drip(target) for _ in range(_SLOW_CONNECTIONS)))
    seconds = time.monotonic() - began
    held = sum(status is None for status in statuses)
    told = f"{_SLOW_CONNECTIONS} bodies a byte at a time: {_said(statuses)} within {seconds:.1f} s"
    return Outcome(f"{told}, {held} held open" if held else told, not held and _theirs(statuses))


async def cut(target: Target) -> Outcome:
    """Leave in the middle of a body, and before the answer; then send the same whole."""
    ids = [f"{target.mark}-cut-{number}" for number in range(10)]
    for number, each in enumerate(ids):
        body = batch_of([each], "visitor-cut")
        sent = body if number % 2 else body[: len(body) // 2]
        async with _connected(target.url) as (_, writer):
            writer.write(_head(target.url, len(body)) + sent)
            await writer.drain()
    statuses = [await _post(target.url, batch_of([each], "visitor-cut")) for each in ids]
    told = f"{len(ids)} left in the middle or before the answer, then sent whole: {_said(statuses)}"
    safe = tuple(each for each, status in zip(ids, statuses, strict=True) if _is_success(status))
    return Outcome(told, len(safe) == len(ids), safe)


async def malformed(target: Target) -> Outcome:
    """Send what is no batch, no JSON, no text, no gzip and no HTTP; and a good event beside a bad one."""
    statuses = [await _post(target.url, body) for body in _MALFORMED]
    statuses += [await _raw(target.url, request) for request in _NO_HTTP]
    good = f"{target.mark}-beside-bad"
    body = batch_of([good], "visitor-bad").replace(b'"batch":[', b'"batch":[{"type":"nothing"},7,')
    beside = await _post(target.url, body)
    safe = (good,) if _is_success(beside) else ()
    told = f"{len(statuses)} that cannot be read: {_said(statuses)}; one good among bad: {_said([beside])}"
    return Outcome(told, _theirs(statuses) and bool(safe), safe)


async def oversized(target: Target) -> Outcome:
    """Send bodies beyond any limit: announced, endless, inflated, too many events, too long a header."""
    events = batch_of([f"{target.mark}-many-{number}" for number in range(20_000)], "visitor-many")
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    bomb = gzip.compress(bytes(64 * _MEGABYTE), 9)
    statuses = [
        await _raw(target.url, _head(target.url, 1024 * _MEGABYTE) + bytes(1000)),
        await _raw(target.url, _head(target.url, None) + chunk, repeat=1024),
        await _post(target.url, bomb, "Content-Encoding: gzip\r\n"),
        await _post(target.url, events),
        await _post(target.url, b"{}", f"X-Long: {'x' * 100_000}\r\n"),
    ]
    return Outcome(f"{len(statuses)} beyond the limits: {_said(statuses)}", _theirs(statuses))


FAULTS: dict[str, Cause] = {"slow": slow, "cut": cut, "malformed": malformed, "oversized": oversized}

_MALFORMED = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"batch":{}}',
    b'{"batch":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
    b'{"batch":[{"type":"track","event":NaN}]}',
    b"\x1f\x8b" + bytes(100),
)
_NO_HTTP = (
    b"GARBAGE\r\n\r\n",
    b"POST /e/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /e/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    bytes(1000),
)


async def _post(url: str, body: bytes, headers: str = "") -> int | None:
    return await _raw(url, _head(url, len(body), headers) + body)


async def _raw(url: str, request: bytes, *, repeat: int = 0) -> int | None:
    """Return the status of an answer, 0 when the connection was ended without one, None when it was held."""
    async with _connected(url) as (reader, writer):
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            writer.write(request)
            await asyncio.wait_for(writer.drain(), _PATIENCE_SECONDS)
            rest = request[request.find(b"\r\n\r\n") + 4 :]
            for _ in range(repeat):
                writer.write(rest)
                await asyncio.wait_for(writer.drain(), _PATIENCE_SECONDS)
        return await _status(reader)


async def _drip(target: Target) -> int | None:
    end = time.monotonic() + _PATIENCE_SECONDS
    async with _connected(target.url) as (reader, writer):
        answer = asyncio.ensure_future(_status(reader))
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            writer.write(_head(target.url, 10_000))
            while not answer.done() and time.monotonic() < end:
                writer.write(b" ")
                await writer.drain()
                await asyncio.wait([answer], timeout=_DRIP_SECONDS)
        return await answer


async def _status(reader: asyncio.StreamReader) -> int | None:
    try:
        line = await asyncio.wait_for(reader.readline(), _PATIENCE_SECONDS)
    except TimeoutError:
        return None
    except (OSError, ValueError):
        return 0
    parts = line.split()
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    place = urlsplit(url)
    port = place.port or _PLAIN_PORTS[place.scheme]
    reader, writer = await asyncio.open_connection(place.hostname, port, ssl=place.scheme == "https" or None)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


def _head(url: str, length: int | None, more: str = "") -> bytes:
    place = urlsplit(url)
    size = f"Content-Length: {length}" if length is not None else "Transfer-Encoding: chunked"
    own = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    first = f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\n"
    return f"{first}{own}{more}{size}\r\nConnection: close\r\n\r\n".encode()


def _is_success(status: int | None) -> bool:
    return status is not None and _SUCCESS <= status < _SUCCESS + 100


def _theirs(statuses: Sequence[int | None]) -> bool:
    """Tell whether each was answered as the sender's fault, or its connection ended."""
    return all(status == 0 or (status and _CLIENT_ERROR <= status < _SERVER_ERROR) for status in statuses)


def _said(statuses: Sequence[int | None]) -> str:
    names = ["no answer" if each is None else "ended" if each == 0 else str(each) for each in statuses]
    return ", ".join(f"{names.count(name)} times {name}" for name in sorted(set(names)))
