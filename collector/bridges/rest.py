"""The rest bridge: servers, and the browser clients of Segment's family. It knows HTTP and write keys."""

from __future__ import annotations

import base64
import binascii
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.answer import accepted_answer, cross_origin, refusal_answer, where
from collector.bridges.remember import hiding, remember_refused, remember_taken, without_keys
from collector.bridges.web import require_origin
from collector.model import Reason, Refusal, Source
from collector.protocols.payload import Payload, read_payload
from collector.protocols.segment import segment
from collector.sources.keys import key_name, usable_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiohttp import web

    from collector.bridges.request import Reader
    from collector.exchange import Answer
    from collector.model import Hit
    from collector.pipeline import Pipeline
    from collector.store.deliveries import DeliveryLog

KINDS = {
    "t": "track",
    "p": "page",
    "s": "screen",
    "i": "identify",
    "g": "group",
    "a": "alias",
    "b": "batch",
}
_READABLE = ("json", "form")
_HOW = "None came: send it as Basic user name, as Bearer token, in X-Write-Key or as writeKey."


@dataclass(frozen=True, slots=True)
class RestBridge:
    """The handlers of the Segment HTTP API."""

    pipeline: Pipeline
    reader: Reader
    log: DeliveryLog

    async def take(self, request: web.Request) -> Answer:
        """Take one event or a batch; answer 200 when they are safe."""
        headers = cross_origin(request) | self.pipeline.advice()
        source: Source | None = None
        hit: Hit | None = None
        kind = request.match_info.get("kind", "batch")
        kind = KINDS.get(kind, kind)
        keys: list[str] = []
        clean = without_keys(f"segment/{kind}", keys)
        try:
            body = await self.reader.server_body(request)
            payload = read_payload(body, request.headers.get("Content-Type", ""))
            keys += presented_keys(request, payload.value)
            source, key = accept_key(self.pipeline, request, keys)
            hit = self.reader.hit(request, source, body, key)
            _require_readable(payload)
            outcomes = await self.pipeline.take(hit, hiding(segment(payload, kind), keys))
        except Refusal as refusal:
            source = source or of_head(self.pipeline, request)
            self.pipeline.refuse(source, refusal, where=where(request))
            if source:
                remember_refused(self.log, source, hit, refusal, clean)
            return refusal_answer(refusal, headers)
        remember_taken(self.log, hit, outcomes, clean)
        return accepted_answer(outcomes, headers)


def accept_key(pipeline: Pipeline, request: web.Request, keys: Sequence[str]) -> tuple[Source, str]:
    """Return the source of the first usable write key that a request presents, and what names the key.

    Raises Refusal unknown_key, source_disabled, origin_forbidden.
    """
    now = time.time_ns() // 1_000_000
    ended = ""
    for presented in keys:
        name = key_name(presented)
        source = pipeline.catalogue.find(name)
        key = usable_key(source, name, now) if source else None
        if source and key:
            if key.origins:
                require_origin(request, key.origins, source.id)
            return pipeline.accept(source.id, source.bridge), f"{source.id}/{key.id}"
        ended = source.id if source else ended
    raise Refusal(Reason.UNKNOWN_KEY, "" if keys else _HOW, source=ended)


def of_head(pipeline: Pipeline, request: web.Request) -> Source | None:
    """Return the source of a key beside the body, for a body that cannot be read."""
    with suppress(Refusal):
        return accept_key(pipeline, request, list(presented_keys(request, None)))[0]
    return None


def presented_keys(request: web.Request, value: Any) -> Iterator[str]:
    """Yield what may be a write key, by trust: header, query, body. Some headers are there for nothing."""
    yield from _authorization(request.headers.get("Authorization", ""))
    yield from filter(None, (request.headers.get("X-Write-Key"), request.query.get("writeKey")))
    batch = value.get("batch") if isinstance(value, dict) else value
    first = batch[0] if isinstance(batch, list) and batch else None
    for part in (value, first):
        if isinstance(part, dict) and isinstance(part.get("writeKey"), str):
            yield part["writeKey"]


def _authorization(header: str) -> Iterator[str]:
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() == "bearer":
        yield credentials.strip()
    elif scheme.lower() == "basic":
        try:
            pair = base64.b64decode(credentials).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return
        user, _, password = pair.partition(":")
        yield user
        if password:
            yield pair  # Jitsu's keys are id:secret


def _require_readable(payload: Payload) -> None:
    if payload.kind == "empty":
        raise Refusal(Reason.EMPTY_BODY)
    if payload.kind not in _READABLE:
        raise Refusal(Reason.NOT_JSON, "It looks like text.")
