"""The email bridge: links, pixels and unsubscribes of mails. A link redirects whatever else is broken."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from collector import metrics
from collector.answer import NO_STORE, refusal_answer
from collector.assets import asset
from collector.exchange import GIF, PIXEL_HEADERS, REASON_HEADER, Answer, query_of
from collector.links import JOURNEY, LinkError, check_target, passed_on, with_pairs
from collector.model import Reason, Refusal, Source
from collector.protocols.ids import uuid7
from collector.protocols.payload import read_payload
from collector.sources.email import read_token

if TYPE_CHECKING:
    from collector.bridges.email_recorder import Recorder
    from collector.bridges.web import WebBridge
    from collector.exchange import Request
    from collector.links import Mark, Purpose
    from collector.pipeline import Pipeline
    from collector.sources.short_links import ShortLink, ShortLinks

_FORM_BYTES = 16 * 1024
_MOST_FIELDS = 100
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

    recorder: Recorder
    browser: WebBridge
    short_links: ShortLinks

    @property
    def pipeline(self) -> Pipeline:
        """The way of a hit."""
        return self.recorder.pipeline

    async def click(self, request: Request) -> Answer:
        """Record the click and redirect to what was signed or kept, byte for byte."""
        try:
            source, link = self._read_link(request.match_info["token"])
            _require_target(source, link)
        except Refusal as refusal:
            return self._no_link(request, refusal)
        event_id, journey, now = "", "", time.time_ns() // 1_000_000
        if request.method == "HEAD":  # it asks where the link leads; nobody has followed it
            metrics.machine(source.id, "head")
        else:
            event_id = uuid7(now)
            journey = self.recorder.journey(request, source, link, now)
            await self.recorder.click(request, source, link, event_id)
        # Not aiohttp's HTTPFound: it writes the address anew.
        target = _target(source, link, query_of(request), event_id, journey)
        return Answer(302, {**_REDIRECT_HEADERS, "Location": target})

    async def pixel(self, request: Request) -> Answer:
        """Record the open; answer a GIF whatever happens. Other sources' pixels are the web bridge's."""
        named = self.pipeline.catalogue.find(request.match_info["source"])
        if named is None or named.bridge != "email":
            return await self.browser.pixel(request)
        headers = dict(PIXEL_HEADERS)
        refusal: Refusal | None = None
        try:
            source, mark = self._read(_asked_token(request), "open")
            if request.method == "HEAD":
                metrics.machine(source.id, "head")
            else:
                refusal = await self.recorder.attempt(request, source, mark, "open")
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
            await self.recorder.unsubscribe(request, source, mark)
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
        body = await self.recorder.reader.body(request, _FORM_BYTES, _FORM_BYTES)
        form = read_payload(body, request.headers.get("Content-Type", "")).value
        if not isinstance(form, dict) or form.get("List-Unsubscribe") != "One-Click":
            raise Refusal(Reason.MISSING_FIELD, "List-Unsubscribe=One-Click.")


def _asked_token(request: Request) -> str:
    try:
        return dict(parse_qsl(query_of(request), max_num_fields=_MOST_FIELDS)).get("t", "")
    except ValueError:  # too many fields
        return ""


def _require_target(source: Source, link: Mark | ShortLink) -> None:
    """Look at an address again: the second lock, should the first ever fail."""
    try:
        check_target(link.target, source.settings.hosts)
    except LinkError as error:
        raise Refusal(Reason.BAD_LINK, str(error), source=source.id) from None


def _target(source: Source, link: Mark | ShortLink, query: str, event_id: str, journey: str) -> str:
    """Return where a click leads: what was signed, and with it what the source passes on."""
    settings = source.settings
    named = ((settings.click_parameter, event_id), (JOURNEY, journey))
    added = [f"{name}={value}" for name, value in named if name and value]
    target = with_pairs(link.target, [*added, *passed_on(query, settings.pass_on)])
    try:
        check_target(target, settings.hosts)
    except LinkError:  # it has become too long
        return link.target
    return target


def _page(name: str, reason: Reason | None = None) -> Answer:
    headers = {**_PAGE_HEADERS, REASON_HEADER: reason.code} if reason else _PAGE_HEADERS
    status = reason.status if reason else 200
    return Answer(status, headers, _text(name))


@lru_cache
def _text(name: str) -> bytes:
    return asset(f"templates/email/{name}.html").read_bytes()
