"""Tracardi's paths, for installations that move by changing the address: its source ids are write keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.answer import accepted_answer, cross_origin, json_answer, refusal_answer, where
from collector.bridges.remember import hiding, remember_refused, remember_taken, without_keys
from collector.bridges.rest import accept_key
from collector.model import Outcome, Refusal, Source
from collector.protocols.payload import Payload, read_payload, read_query
from collector.protocols.tracardi import Visit, collected, tracardi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from collector.bridges.request import Reader
    from collector.exchange import Answer
    from collector.model import Hit
    from collector.pipeline import Pipeline
    from collector.store.deliveries import DeliveryLog


@dataclass(frozen=True, slots=True)
class TracardiBridge:
    """The handlers of ``/track`` and ``/collect``."""

    pipeline: Pipeline
    reader: Reader
    log: DeliveryLog

    async def track(self, request: web.Request, body: bytes) -> Answer:
        """Take the events of one visit, whose body has been read; answer with its ids."""
        return await self._take(request, None, body)

    async def collect(self, request: web.Request) -> Answer:
        """Take one event whose type stands in the path and whose properties are the body or the query."""
        return await self._take(request, request.match_info["kind"])

    async def _take(self, request: web.Request, kind: str | None, read: bytes | None = None) -> Answer:
        source: Source | None = None
        hit: Hit | None = None
        keys: list[str] = []
        session = request.match_info.get("session", "")
        clean = without_keys("tracardi" if kind is None else f"tracardi/{session}/{kind}", keys)
        try:
            body = await self.reader.server_body(request) if read is None else read
            payload = read_payload(body, request.headers.get("Content-Type", ""))
            if kind is not None:
                payload = _as_track(payload, request, kind)
            keys += _presented(request, payload.value)
            source, key = accept_key(self.pipeline, request, keys)
            hit = self.reader.hit(request, source, body, key)
            visit = Visit.of(payload.value)
            outcomes = await self.pipeline.take(hit, hiding(tracardi(payload, visit), keys))
        except Refusal as refusal:
            self.pipeline.refuse(source, refusal, where=where(request))
            if source:
                remember_refused(self.log, source, hit, refusal, clean)
            return refusal_answer(refusal, cross_origin(request))
        remember_taken(self.log, hit, outcomes, clean)
        return _answer(request, visit, outcomes)


def _as_track(payload: Payload, request: web.Request, kind: str) -> Payload:
    query = read_query(request.query_string)
    value = collected(payload, query, kind, request.match_info.get("session"))
    return Payload("json", value, payload.flags)


def _presented(request: web.Request, value: Any) -> list[str]:
    source = value.get("source") if isinstance(value, dict) else None
    inside = source.get("id") if isinstance(source, dict) else None
    return [key for key in (request.match_info.get("key"), inside) if isinstance(key, str)]


def _answer(request: web.Request, visit: Visit, outcomes: Sequence[Outcome]) -> Answer:
    refused = [outcome.refusal for outcome in outcomes if outcome.refusal]
    if refused and len(refused) == len(outcomes):
        return accepted_answer(outcomes, cross_origin(request))
    body = {
        "task": None,
        "ux": [],
        "response": {},
        "events": [outcome.id for outcome in outcomes if outcome.refusal is None],
        "profile": {"id": visit.profile},
        "session": {"id": visit.session},
        "errors": [refusal.message for refusal in refused],
        "warnings": [],
    }
    return json_answer(200, body, cross_origin(request))
