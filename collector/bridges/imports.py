"""Imports: files of any length, one event a line, taken in groups while they arrive, in bounded memory."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from collector.answer import NO_STORE, accepted_answer, cross_origin, refusal_answer
from collector.bridges.rest import accept_key, presented_keys
from collector.model import Hit, Outcome, Reason, Refusal, Source
from collector.protocols.decode import parse_forgiving
from collector.protocols.payload import Payload
from collector.protocols.segment import segment, segment_lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from collector.answer import Answered
    from collector.bridges.request import Reader
    from collector.pipeline import Pipeline

_GROUP_LINES = 500
_INFLATED_AT_ONCE = 1024 * 1024
_GZIP_MARK = b"\x1f\x8b"
_GZIP = zlib.MAX_WBITS | 16


@dataclass(frozen=True, slots=True)
class ImportBridge:
    """The handler of ``/v1/import``. The key comes as header or in the query."""

    pipeline: Pipeline
    reader: Reader

    async def take(self, request: web.Request) -> Answered:
        """Answer one line for each group of lines: how many are safe, and which were refused and why."""
        source: Source | None = None
        try:
            source = accept_key(self.pipeline, request, presented_keys(request, None))
            lines = self._lines(request)
            first = await anext(lines, None)
            hit = self.reader.hit(request, source, b"")
            whole = _whole_batch(first)
            if whole:
                return accepted_answer(await self.pipeline.take(hit, whole), cross_origin(request))
        except Refusal as refusal:
            self.pipeline.refuse(source, refusal, where=f"{request.method} {request.path}"[:200])
            return refusal_answer(refusal, cross_origin(request))
        answer = web.StreamResponse(headers={**NO_STORE, **cross_origin(request)})
        answer.content_type = "application/x-ndjson"
        await answer.prepare(request)
        await self._import(answer, hit, first, lines)
        return answer

    async def _import(
        self, answer: web.StreamResponse, hit: Hit, first: bytes | None, lines: AsyncIterator[bytes]
    ) -> None:
        done, totals = 0, {"stored": 0, "duplicate": 0, "checked": 0, "refused": 0}
        try:
            async for group in _groups(first, lines, self.reader.settings.server_body_bytes):
                outcomes = await self.pipeline.take(hit, segment_lines(group))
                for outcome in outcomes:
                    totals[outcome.verdict] += 1
                await answer.write(_report(outcomes, done))
                done += len(group)
        except Refusal as refusal:
            # The status has been sent; the last line says where to go on. Lines sent again are no harm.
            self.pipeline.refuse(hit.source, refusal, where=f"line {done + 1}")
            row = {"code": refusal.reason.code, "message": refusal.message}
            await answer.write(_line({**row, "resumeAtLine": done + 1}))
        else:
            await answer.write(_line({"done": True, "lines": done, **totals}))
        await answer.write_eof()

    async def _lines(self, request: web.Request) -> AsyncIterator[bytes]:
        """Yield the lines of a body that are not blank. Raises Refusal."""
        limit = self.reader.settings.server_body_bytes
        rest = b""
        async for chunk in _inflated(self._chunks(request), request.headers.get("Content-Encoding", "")):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                if stripped := line.strip():
                    yield stripped
            if len(rest) > limit:
                raise Refusal(Reason.TOO_LARGE, f"A line may have {limit} bytes.")
        if rest.strip():
            yield rest.strip()

    async def _chunks(self, request: web.Request) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(self.reader.settings.body_seconds):
                    chunk = await request.content.readany()
            except TimeoutError:
                raise Refusal(Reason.BODY_TIMEOUT) from None
            if not chunk:
                return
            yield chunk


async def _inflated(chunks: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    """Yield the chunks of a body, inflated bit by bit when it is gzip."""
    inflater = None
    begun = False
    async for chunk in chunks:
        if not begun:
            begun = True
            if encoding.lower() == "gzip" or chunk.startswith(_GZIP_MARK):
                inflater = zlib.decompressobj(_GZIP)
        if inflater is None:
            yield chunk
            continue
        while chunk:
            try:
                yield inflater.decompress(chunk, _INFLATED_AT_ONCE)
            except zlib.error:
                raise Refusal(Reason.BAD_ENCODING) from None
            chunk = inflater.unconsumed_tail  # noqa: PLW2901 - what did not fit comes next
    if inflater and not inflater.eof:
        raise Refusal(Reason.BAD_ENCODING, "It ends too early.")


async def _groups(
    first: bytes | None, lines: AsyncIterator[bytes], most_bytes: int
) -> AsyncIterator[list[bytes]]:
    group, size = ([first], len(first)) if first else ([], 0)
    async for line in lines:
        if group and (len(group) >= _GROUP_LINES or size + len(line) > most_bytes):
            yield group
            group, size = [], 0
        group.append(line)
        size += len(line)
    if group:
        yield group


def _whole_batch(first: bytes | None) -> Any:
    """Return the protocol of a body that is one batch, as Segment's own import has it; else None."""
    if first is None:
        raise Refusal(Reason.EMPTY_BODY)
    try:
        value, flags = parse_forgiving(first)
    except Refusal:  # a bad first line is refused with the others
        return None
    if isinstance(value, dict) and "batch" in value:
        return segment(Payload("json", value, flags), "batch")
    return None


def _report(outcomes: Sequence[Outcome], before: int) -> bytes:
    """Return the report on a group; lines are counted from one, blank ones left out."""
    row: dict[str, Any] = {"lines": [before + 1, before + len(outcomes)]}
    for verdict in ("stored", "checked"):
        if count := sum(outcome.verdict == verdict for outcome in outcomes):
            row[verdict] = count
    if again := [before + 1 + outcome.index for outcome in outcomes if outcome.verdict == "duplicate"]:
        row["duplicate"] = again
    if refused := [
        {
            "line": before + 1 + outcome.index,
            "reason": outcome.refusal.reason.code,
            "message": outcome.refusal.message,
        }
        for outcome in outcomes
        if outcome.refusal
    ]:
        row["refused"] = refused
    return _line(row)


def _line(row: dict[str, Any]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
