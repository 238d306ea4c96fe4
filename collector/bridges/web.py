"""The web bridge: beacons and pixels of browsers. It knows HTTP, not what the events mean."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from collector import metrics
from collector.answer import (
    cross_origin,
    outcomes_answer,
    preflight_answer,
    reason_header,
    refusal_answer,
    safe_answer,
    where,
)
from collector.bridges import cookie
from collector.exchange import GIF, PIXEL_HEADERS, REASON_HEADER, Answer, query_of
from collector.model import Hit, Reason, Refusal, Source
from collector.protocols import native
from collector.sources.tracker_token import OLD, TrackerTokens, token_in

if TYPE_CHECKING:
    from collector.bridges.request import Reader
    from collector.exchange import Request
    from collector.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class WebBridge:
    """The handlers of a web source's paths."""

    pipeline: Pipeline
    reader: Reader
    tokens: TrackerTokens

    async def beacon(self, request: Request) -> Answer:
        """Take a batch of events; answer when they are safe."""
        source: Source | None = None
        try:
            source = self._accept(request)
            hit = cookie.recognised(await self._read(request, source), request)
            outcomes = await self.pipeline.take(hit, native.beacon)
        except Refusal as refusal:
            self.pipeline.refuse(source, refusal, where=where(request))
            return refusal_answer(refusal, cross_origin(request) | self.pipeline.advice())
        more = self.pipeline.advice() | cookie.to_set(hit, request, outcomes)
        if more or reason_header(outcomes):
            return outcomes_answer(outcomes, cross_origin(request) | more)
        return safe_answer(request.headers.get("Origin"))

    async def pixel(self, request: Request) -> Answer:
        """Take one event from the query; answer a GIF whatever happens, with the reason in a header."""
        headers = {**PIXEL_HEADERS, **cross_origin(request)}
        source: Source | None = None
        try:
            source = self._accept(request)
            if request.method != "HEAD":  # a HEAD asks about the picture; nobody has seen it
                hit = await self._read(request, source)
                outcomes = await self.pipeline.take(hit, native.pixel)
                headers |= reason_header(outcomes)
        except Refusal as refusal:
            self.pipeline.refuse(source, refusal, where=where(request))
            headers[REASON_HEADER] = refusal.reason.code
        return Answer(200, headers, GIF)

    async def preflight(self, request: Request) -> Answer:
        """Answer a CORS preflight, as the source allows."""
        self._accept(request)
        return preflight_answer(request)

    def _accept(self, request: Request) -> Source:
        source = self.pipeline.accept(request.match_info["source"], "web")
        require_origin(request, source.settings.origins, source.id)
        return source

    async def _read(self, request: Request, source: Source) -> Hit:
        """Return the hit, flagged when its token is not right. Raises Refusal bad_token and the reader's."""
        mode = source.settings.token
        fault = self._fault_of_token(request, source) if mode != "off" else ""
        if fault not in {"", OLD} and mode == "refuse":
            raise Refusal(Reason.BAD_TOKEN, source=source.id)
        hit = await self.reader.read(request, source)
        return replace(hit, flags=(fault,)) if fault else hit

    def _fault_of_token(self, request: Request, source: Source) -> str:
        token = token_in(query_of(request))
        fault = self.tokens.fault(source, token, claimed_origin(request), time.time())
        metrics.token(source.id, fault or "good")
        return fault


def claimed_origin(request: Request) -> str:
    """Return the origin that a request names: in Origin, else in Referer; empty when in neither."""
    origin: str = request.headers.get("Origin") or _origin_of(request.headers.get("Referer", ""))
    return origin


def require_origin(request: Request, allowed: tuple[str, ...], source: str) -> None:
    """Raise Refusal origin_forbidden unless Origin, else Referer, is one of the allowed origins."""
    if "*" in allowed:
        return
    origin = claimed_origin(request)
    if not any(origin_matches(origin, pattern) for pattern in allowed):
        raise Refusal(Reason.ORIGIN_FORBIDDEN, f"It was {origin[:200] or 'not named'}.", source=source)


def origin_matches(origin: str, pattern: str) -> bool:
    """Tell whether an origin is the pattern, or a host below it where the pattern has ``*.``."""
    if "*." not in pattern:
        return origin == pattern
    scheme, rest = pattern.split("*.", 1)
    label = re.escape(scheme) + r"[a-z0-9-]+(\.[a-z0-9-]+)*\." + re.escape(rest)
    return re.fullmatch(label, origin) is not None


def _origin_of(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
