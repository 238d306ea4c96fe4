"""The paths of other systems' clients: the source is found by the site id or key that the client has."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.answer import (
    accepted_answer,
    cross_origin,
    reason_header,
    refusal_answer,
    where,
)
from collector.bridges import cookie
from collector.bridges.remember import hiding, remember_refused, remember_taken, without_keys
from collector.bridges.rest import accept_key
from collector.bridges.web import require_origin
from collector.exchange import PIXEL_HEADERS, REASON_HEADER, Answer, query_of
from collector.model import Hit, Outcome, Reason, Refusal, Source
from collector.protocols.dialect import IN_PATH, Call, Dialect, Sent, readable
from collector.protocols.dialects import DIALECTS
from collector.sources.base import site_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiohttp import web

    from collector.answer import Handler
    from collector.bridges.request import Reader
    from collector.pipeline import Pipeline
    from collector.store.deliveries import DeliveryLog


class DialectBridge:
    """The handlers of other systems' paths."""

    def __init__(self, pipeline: Pipeline, reader: Reader, log: DeliveryLog) -> None:
        self._pipeline = pipeline
        self._reader = reader
        self._log = log

    def takes(self, name: str) -> Handler:
        """Return the handler of a dialect's paths."""

        async def take(request: web.Request) -> Answer:
            return await self._take(DIALECTS[name], request)

        return take

    async def take_read(self, name: str, request: web.Request, body: bytes) -> Answer:
        """Take a request whose body has been read, to find out whose it is."""
        return await self._take(DIALECTS[name], request, body)

    async def _take(self, dialect: Dialect, request: web.Request, read: bytes | None = None) -> Answer:
        if request.method == "HEAD":  # it asks about the picture; nobody has seen it
            return Answer(200, PIXEL_HEADERS)
        headers = cross_origin(request) | self._pipeline.advice()
        source: Source | None = None
        hit: Hit | None = None
        secrets: list[str] = []
        clean = without_keys(f"{dialect.name}{request.path}", secrets)
        call = _call(request, b"")
        try:
            body = await self._reader.server_body(request) if read is None else read
            call = _call(request, body)
            sent = dialect.read(call)
            secrets += sent.secrets
            source, key = self._source(dialect.name, sent, request, secrets)
            hit = self._hit(request, source, body, sent, key)
            outcomes = await self._pipeline.take(hit, hiding(sent.protocol, secrets))
            headers |= cookie.to_set(hit, request, outcomes)
        except Refusal as refusal:
            self._pipeline.refuse(source, refusal, where=where(request))
            if source and source.bridge == "rest":
                remember_refused(self._log, source, hit, refusal, clean)
            return _with(_refused(dialect, call, refusal), headers)
        if source.bridge == "rest":
            remember_taken(self._log, hit, outcomes, clean)
        return _with(_answer(dialect, call, sent, outcomes), headers | reason_header(outcomes))

    def _source(self, name: str, sent: Sent, request: web.Request, secrets: list[str]) -> tuple[Source, str]:
        """Return the source of the first known site, web source's own id or alias, or write key, named too.

        Raises Refusal unknown_source, unknown_key, source_disabled, origin_forbidden.
        """
        catalogue = self._pipeline.catalogue
        for site in sent.sites:
            own = catalogue.find(site)
            source = catalogue.find(site_name(name, site)) or (own if own and own.bridge == "web" else None)
            if source:
                if source.bridge == "web":
                    require_origin(request, source.settings.origins, source.id)
                return self._pipeline.accept(source.id, source.bridge), ""
        if name in IN_PATH:
            raise Refusal(Reason.UNKNOWN_SOURCE)
        secrets += sent.sites
        try:
            return accept_key(self._pipeline, request, sent.sites)
        except Refusal as refusal:
            keyless = refusal.reason is Reason.UNKNOWN_KEY
            detail = (
                f"A source takes it once its settings.sites have {name}:ID." if keyless else refusal.detail
            )
            raise Refusal(refusal.reason, detail, source=refusal.source) from None

    def _hit(self, request: web.Request, source: Source, body: bytes, sent: Sent, key: str) -> Hit:
        if source.bridge == "web" and len(body) > self._reader.settings.inflated_bytes:
            limit = self._reader.settings.inflated_bytes
            raise Refusal(Reason.INFLATED_TOO_LARGE, f"The limit is {limit} bytes.")
        hit = self._reader.hit(request, source, body, key)
        if sent.anonymous:
            return replace(hit, anonymous=True)
        return cookie.recognised(hit, request)


def _call(request: web.Request, body: bytes) -> Call:
    query = readable(query_of(request))
    return Call(body, query, request.headers, request.method, request.path)


def _answer(dialect: Dialect, call: Call, sent: Sent, outcomes: Sequence[Outcome]) -> Answer:
    """Return the dialect's own answer when anything is safe or unwanted, else the first refusal's."""
    if outcomes and not sent.tells_each and all(outcome.refusal for outcome in outcomes):
        first = outcomes[0].refusal
        return (first and dialect.refused(call, first)) or accepted_answer(outcomes, {})
    return dialect.accepted(sent, outcomes)


def _refused(dialect: Dialect, call: Call, refusal: Refusal) -> Answer:
    answer = dialect.refused(call, refusal) or refusal_answer(refusal, {})
    return _with(answer, {REASON_HEADER: refusal.reason.code})


def _with(answer: Answer, headers: Mapping[str, str]) -> Answer:
    return replace(answer, headers={**answer.headers, **headers})
