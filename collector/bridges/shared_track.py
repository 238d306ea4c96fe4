"""``POST /track``, which clients of Tracardi and of Mixpanel send to: the body tells whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.answer import cross_origin, refusal_answer, where
from collector.model import Refusal
from collector.protocols import mixpanel

if TYPE_CHECKING:
    from aiohttp import web

    from collector.bridges.dialects import DialectBridge
    from collector.bridges.request import Reader
    from collector.bridges.tracardi import TracardiBridge
    from collector.exchange import Answer
    from collector.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class SharedTrack:
    """The handler of the path that two systems have."""

    pipeline: Pipeline
    reader: Reader
    tracardi: TracardiBridge
    dialects: DialectBridge

    async def take(self, request: web.Request) -> Answer:
        """Read the body and hand it to the bridge of the system whose it is."""
        try:
            body = await self.reader.server_body(request)
        except Refusal as refusal:
            self.pipeline.refuse(None, refusal, where=where(request))
            return refusal_answer(refusal, cross_origin(request))
        if mixpanel.looks_like(body, request.headers.get("Content-Type", "")):
            return await self.dialects.take_read(mixpanel.NAME, request, body)
        return await self.tracardi.track(request, body)
