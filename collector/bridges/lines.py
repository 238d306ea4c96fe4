"""The lines of a body of any length, taken while it arrives, in bounded memory."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.bridges.request import GZIP_MARK, INFLATED_AT_ONCE, take_turn
from collector.model import Reason, Refusal
from collector.protocols.decode import parse_forgiving
from collector.protocols.payload import Payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

    from collector.bridges.request import Reader

_GZIP = zlib.MAX_WBITS | 16


@dataclass(frozen=True, slots=True)
class Opening:
    """How a body begins: as one JSON document, or as lines of which ``value`` is the first, if it is JSON."""

    value: Any
    document: Payload | None
    lines: AsyncIterator[bytes]


async def read_opening(lines: AsyncIterator[bytes], most_bytes: int) -> Opening:
    """Look at the first line; one that is not whole is looked at with those that follow, up to a limit.

    Raises Refusal empty_body, bad_request, and as reading the lines does.
    """
    first = await anext(lines, None)
    if first is None:
        raise Refusal(Reason.EMPTY_BODY)
    payload = _parsed(first)
    if payload is not None:
        return await _of_first_line(payload, first, lines)
    held, size = [first], len(first)
    async for line in lines:
        held.append(line)
        size += len(line)
        if size > most_bytes or first[:1] not in b"{[":
            return Opening(None, None, _again(held, lines))
    whole = _parsed(b"\n".join(held))
    if whole and _is_batch(whole.value):
        return Opening(whole.value, whole, lines)
    # One event over several lines becomes one line.
    return Opening(whole and whole.value, None, _again([b" ".join(held)] if whole else held, lines))


async def _of_first_line(payload: Payload, first: bytes, lines: AsyncIterator[bytes]) -> Opening:
    if not _is_batch(payload.value):
        return Opening(payload.value, None, _again([first], lines))
    async for _ in lines:
        raise Refusal(Reason.BAD_REQUEST, "A batch must be the whole body; or send one event a line.")
    return Opening(payload.value, payload, lines)


def _is_batch(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, dict) and "batch" in value)


def _parsed(text: bytes) -> Payload | None:
    try:
        value, flags = parse_forgiving(text)
    except Refusal:
        return None
    return Payload("json", value, flags)


async def _again(held: list[bytes], lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for line in held:
        yield line
    async for line in lines:
        yield line


async def read_lines(request: web.Request, reader: Reader) -> AsyncIterator[bytes]:
    """Yield the lines of a body that are not blank.

    Raises Refusal body_timeout, bad_encoding, rate_limited, too_large for a line over the limit of a body.
    """
    limit = reader.settings.server_body_bytes
    chunks = _chunks(request, reader.settings.body_seconds)
    first = await anext(chunks, b"")
    body = _again([first], chunks)
    if not first.startswith(GZIP_MARK) and request.headers.get("Content-Encoding", "").lower() != "gzip":
        async for line in _lines(body, limit):
            yield line
        return
    with reader.counting_bombs(request):
        async for line in _lines(inflate_chunks(body, reader.turns), limit):
            yield line


async def _lines(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    rest, blank = b"", 0
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if stripped := line.strip():
                blank = 0
                yield stripped
            else:
                blank += len(line) + 1
        if blank > limit:
            raise Refusal(Reason.TOO_LARGE, f"There may be {limit} bytes of blank lines in a row.")
        if len(rest) > limit:
            raise Refusal(Reason.TOO_LARGE, f"A line may have {limit} bytes.")
    if rest.strip():
        yield rest.strip()


async def _chunks(request: web.Request, seconds: float) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(seconds):
                chunk = await request.content.readany()
        except TimeoutError:
            raise Refusal(Reason.BODY_TIMEOUT) from None
        if not chunk:
            return
        yield chunk


async def inflate_chunks(chunks: AsyncIterator[bytes], turns: asyncio.Lock) -> AsyncIterator[bytes]:
    """Yield the chunks of a gzip body, inflated piece by piece: each after the first in its turn.

    Raises Refusal bad_encoding, and as the chunks do.
    """
    inflater = zlib.decompressobj(_GZIP)
    begun = False
    async for chunk in chunks:
        while chunk:
            if begun:
                await take_turn(turns)
            begun = True
            try:
                yield inflater.decompress(chunk, INFLATED_AT_ONCE)
            except zlib.error:
                raise Refusal(Reason.BAD_ENCODING) from None
            chunk = inflater.unconsumed_tail  # noqa: PLW2901 - what did not fit comes next
    if begun and not inflater.eof:
        raise Refusal(Reason.BAD_ENCODING, "It ends too early.")
