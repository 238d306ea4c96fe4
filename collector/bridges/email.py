"""The email bridge: links, pixels and unsubscribes of mails. A link redirects whatever else is broken."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import structlog

from collector.answer import NO_STORE, REASON_HEADER, refusal_answer
from collector.assets import asset
from collector.bridges.web import GIF, PIXEL_HEADERS
from collector.exchange import Answer, query_of
from collector.links import LinkError, check_target
from collector.model import Privacy, Reason, Refusal, Source
from collector.protocols.email import email, short_click
from collector.protocols.payload import read_payload
from collector.sources.email import read_token
from collector.sources.short_links import ShortLink

if TYPE_CHECKING:
    from collector.bridges.request import Reader
    from collector.bridges.web import WebBridge
    from collector.exchange import Request
    from collector.links import Mark, Purpose
    from collector.model import Hit
    from collector.pipeline import Pipeline
    from collector.protocols import Protocol
    from collector.sources.short_links import ShortLinks

log = structlog.get_logger()

_FORM_BYTES = 16 * 1024
_MOST_FIELDS = 100
_PATIENCE_SECONDS = 1.0  # a person waits for the page behind the link
_PRIVATE = {
    **NO_STORE,
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
}
_REDIRECT_HEADERS = {**_PRIVATE, "Content-Security-Policy": "default-src 'none'"}
_PAGE_HEADERS = {
    **_PRIVATE,
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
}


@dataclass(frozen=True, slots=True)
class EmailBridge:
    """The handlers of a mail's links, pixel and unsubscribe."""

    pipeline: Pipeline
    reader: Reader
    browser: WebBridge
    short_links: ShortLinks
    recording: set[asyncio.Task[Refusal | None]] = field(default_factory=set)

    async def click(self, request: Request) -> Answer:
        """Record the click and redirect to what was signed or kept, byte for byte."""
        try:
            source, link = self._read_link(request.match_info["token"])
            _require_target(source, link)
        except Refusal as refusal:
            return self._no_link(request, refusal)
        if request.method != "HEAD":  # a HEAD asks where the link leads; nobody has followed it
            await self._record_soon(request, source, link)
        # Not aiohttp's HTTPFound: it writes the address anew.
        return Answer(302, {**_REDIRECT_HEADERS, "Location": link.target})

    async def pixel(self, request: Request) -> Answer:
        """Record the open; answer a GIF whatever happens. Other sources' pixels are the web bridge's."""
        named = self.pipeline.catalogue.find(request.match_info["source"])
        if named is None or named.bridge != "email":
            return await self.browser.pixel(request)
        headers = dict(PIXEL_HEADERS)
        refusal: Refusal | None = None
        try:
            source, mark = self._read(_asked_token(request), "open")
            if request.method != "HEAD":
                refusal = await self._try_record(request, source, mark, "open")
        except Refusal as unread:
            self.pipeline.refuse(named, unread, where="/p/")
            refusal = unread
        if refusal:
            headers[REASON_HEADER] = refusal.reason.code
        return Answer(200, headers, GIF)

    async def ask(self, request: Request) -> Answer:
        """Show the page that asks whether to unsubscribe. Software fetches links: looking changes nothing."""
        try:
            self._read(request.match_info["token"], "unsubscribe")
        except Refusal as refusal:
            return self._no_link(request, refusal)
        return _page("unsubscribe")

    async def unsubscribe(self, request: Request) -> Answer:
        """Record the unsubscribe of a mail program's one click (RFC 8058) or of the page's button."""
        source: Source | None = None
        try:
            source, mark = self._read(request.match_info["token"], "unsubscribe")
            await self._require_one_click(request)
            await self._record(request, source, mark, "unsubscribe")
        except Refusal as refusal:
            if refusal.reason is Reason.BAD_LINK:
                return self._no_link(request, refusal)
            self.pipeline.refuse(source, refusal, where="/u/")
            return refusal_answer(refusal, {})
        return _page("unsubscribed")

    def _read(self, token: str, purpose: Purpose) -> tuple[Source, Mark]:
        return read_token(self.pipeline.catalogue.find, token, purpose)

    def _read_link(self, token: str) -> tuple[Source, Mark | ShortLink]:
        """Return what a click leads to. A signed token has dots, a short id has none."""
        if "." in token:
            return self._read(token, "click")
        link = self.short_links.find(token)
        source = self.pipeline.catalogue.find(link.source) if link else None
        if link is None or source is None or source.bridge != "email":
            raise Refusal(Reason.BAD_LINK)
        return source, link

    def _no_link(self, request: Request, refusal: Refusal) -> Answer:
        """Answer a page without a link in it. The token stays out of the log: it names a person."""
        self.pipeline.refuse(None, refusal, where=request.path[:3])
        return _page("broken", refusal.reason)

    async def _require_one_click(self, request: Request) -> None:
        body = await self.reader.body(request, _FORM_BYTES, _FORM_BYTES)
        form = read_payload(body, request.headers.get("Content-Type", "")).value
        if not isinstance(form, dict) or form.get("List-Unsubscribe") != "One-Click":
            raise Refusal(Reason.MISSING_FIELD, "List-Unsubscribe=One-Click.")

    async def _record_soon(self, request: Request, source: Source, link: Mark | ShortLink) -> None:
        """Record a click, but keep nobody waiting for it: it goes on while the redirect is answered."""
        task = asyncio.create_task(self._try_record(request, source, link, "click"))
        self.recording.add(task)
        task.add_done_callback(self.recording.discard)
        await asyncio.wait([task], timeout=_PATIENCE_SECONDS)

    async def _try_record(
        self, request: Request, source: Source, link: Mark | ShortLink, purpose: Purpose
    ) -> Refusal | None:
        """Record what must not fail in front of a reader; return why it was not recorded."""
        try:
            await self._record(request, source, link, purpose)
        except Refusal as refusal:
            self.pipeline.refuse(source, refusal, where=request.path[:3])
            return refusal
        except Exception:
            log.exception("fault", path=request.path[:3])
            return Refusal(Reason.INTERNAL)
        return None

    async def _record(
        self, request: Request, source: Source, link: Mark | ShortLink, purpose: Purpose
    ) -> None:
        accepted = self.pipeline.accept(source.id, source.bridge)
        hit = self.reader.hit(request, accepted, b"")
        if purpose == "unsubscribe":
            hit = _as_asked(hit)
        await self.pipeline.take(hit, _protocol(purpose, link))


def _asked_token(request: Request) -> str:
    return dict(parse_qsl(query_of(request), max_num_fields=_MOST_FIELDS)).get("t", "")


def _protocol(purpose: Purpose, link: Mark | ShortLink) -> Protocol:
    if isinstance(link, ShortLink):
        return short_click(link.id, link.target, link.label)
    return email(purpose, link)


def _require_target(source: Source, link: Mark | ShortLink) -> None:
    """Look at an address again: the second lock, should the first ever fail."""
    try:
        check_target(link.target, source.settings.hosts)
    except LinkError as error:
        raise Refusal(Reason.BAD_LINK, str(error)) from None


def _as_asked(hit: Hit) -> Hit:
    """Return a hit that keeps who asked for something, and no more: no privacy rule may lose the asking."""
    source = replace(hit.source, privacy=Privacy(visitors="cookie"))
    return replace(hit, source=source, headers={}, address=None)


def _page(name: str, reason: Reason | None = None) -> Answer:
    headers = {**_PAGE_HEADERS, REASON_HEADER: reason.code} if reason else _PAGE_HEADERS
    status = reason.status if reason else 200
    return Answer(status, headers, _text(name))


@lru_cache
def _text(name: str) -> bytes:
    return asset(f"templates/email/{name}.html").read_bytes()
