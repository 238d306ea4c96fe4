"""Imports: files of any length, one event a line, taken in groups while they arrive, in bounded memory."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from collector.answer import NO_STORE, accepted_answer, cross_origin, refusal_answer, where
from collector.bridges.lines import read_lines, read_opening
from collector.bridges.remember import hiding
from collector.bridges.rest import accept_key, of_head, presented_keys
from collector.model import Hit, Outcome, Refusal, Source
from collector.protocols.segment import segment, segment_lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from collector.answer import Answered
    from collector.bridges.request import Reader
    from collector.pipeline import Pipeline

_GROUP_LINES = 500
_TOLD = ("stored", "duplicate", "checked", "refused")  # also when there are none


@dataclass(frozen=True, slots=True)
class ImportBridge:
    """The handler of ``/v1/import``. A key in the body stands in its first event or in its batch."""

    pipeline: Pipeline
    reader: Reader

    async def take(self, request: web.Request) -> Answered:
        """Answer one line for each group of lines: how many are safe, and which were refused and why."""
        source: Source | None = None
        try:
            settings = self.reader.settings
            opening = await read_opening(read_lines(request, self.reader), settings.server_body_bytes)
            keys = list(presented_keys(request, opening.value))
            source, key = accept_key(self.pipeline, request, keys)
            hit = self.reader.hit(request, source, b"", key)
            if opening.document:
                outcomes = await self.pipeline.take(hit, hiding(segment(opening.document, "batch"), keys))
                return accepted_answer(outcomes, cross_origin(request))
        except Refusal as refusal:
            self.pipeline.refuse(source or of_head(self.pipeline, request), refusal, where=where(request))
            return refusal_answer(refusal, cross_origin(request))
        answer = web.StreamResponse(headers={**NO_STORE, **cross_origin(request)})
        answer.content_type = "application/x-ndjson"
        await answer.prepare(request)
        with contextlib.suppress(ConnectionResetError):  # who has left; what was reported is safe
            await self._import(answer, hit, opening.lines, keys)
        return answer

    async def _import(
        self, answer: web.StreamResponse, hit: Hit, lines: AsyncIterator[bytes], keys: list[str]
    ) -> None:
        done, totals = 0, Counter(dict.fromkeys(_TOLD, 0))
        try:
            async for group in _groups(lines, self.reader.settings.server_body_bytes):
                outcomes = await self.pipeline.take(hit, hiding(segment_lines(group), keys))
                totals.update(outcome.verdict for outcome in outcomes)
                await answer.write(_report(outcomes, done))
                done += len(group)
        except Refusal as refusal:
            # The status has been sent; the last line says where to go on. Lines sent again are no harm.
            answer.force_close()
            self.pipeline.refuse(hit.source, refusal, where=f"line {done + 1}")
            row = {"code": refusal.reason.code, "message": refusal.message}
            await answer.write(_line({**row, "resumeAtLine": done + 1}))
        else:
            await answer.write(_line({"done": True, "lines": done, **totals}))
        await answer.write_eof()


async def _groups(lines: AsyncIterator[bytes], most_bytes: int) -> AsyncIterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    async for line in lines:
        if group and (len(group) >= _GROUP_LINES or size + len(line) > most_bytes):
            yield group
            group, size = [], 0
        group.append(line)
        size += len(line)
    if group:
        yield group


def _report(outcomes: Sequence[Outcome], before: int) -> bytes:
    """Return the report on a group; lines are counted from one, blank ones left out."""
    row: dict[str, Any] = {"lines": [before + 1, before + len(outcomes)]}
    counts = Counter(outcome.verdict for outcome in outcomes)
    row |= {verdict: count for verdict, count in counts.items() if verdict not in {"duplicate", "refused"}}
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
