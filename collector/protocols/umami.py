"""Umami's send API: page views, events, identities and web vitals, one a request or a list of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from collector.model import Reason, Refusal
from collector.protocols.batch import an_object, text
from collector.protocols.clock import seconds_to_ms
from collector.protocols.dialect import Call, Dialect, Sent, finished, in_turn, json_body, placed
from collector.protocols.payload import read_payload
from collector.protocols.segment import speak_for_browser
from collector.protocols.their_limits import Fields, TheirLimits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.exchange import Answer
    from collector.model import Event, Hit, Outcome

NAME = "umami"
# https://github.com/umami-software/umami/blob/master/src/lib/constants.ts, https://umami.is/docs/track-events
_FIELDS = Fields(most=50, key=500, value=500)
LIMITS = TheirLimits(cut_name=50, properties=_FIELDS, traits=_FIELDS, longest_id=50)
_VITALS = ("lcp", "inp", "cls", "fcp", "ttfb")
PLACES = {
    "url": "context.page.url",
    "title": "context.page.title",
    "referrer": "context.page.referrer",
    "language": "context.locale",
    "userAgent": "context.userAgent",
    "ip": "context.ip",
    "name": "event",
    "id": "userId",
    "data": "properties",
    **{vital: f"properties.{vital}" for vital in _VITALS},
}
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TOKEN = re.compile(rf"1\.({_UUID})\.({_UUID})\.([0-9]{{1,12}})")
_VISIT_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class _Visit:
    """Who visits, as the token tells that a script keeps in its page's memory and sends back."""

    session: str
    visit: str
    since: int
    known: bool

    @classmethod
    def of(cls, token: str) -> _Visit:
        """Return the token's visit, a new one where it is none or half an hour old."""
        now, found = int(time()), _TOKEN.fullmatch(token)
        if not found:
            return cls(str(uuid4()), str(uuid4()), now, known=False)
        since = int(found[3])
        if 0 <= now - since < _VISIT_SECONDS:
            return cls(found[1], found[2], since, known=True)
        return cls(found[1], str(uuid4()), now, known=True)

    @property
    def token(self) -> str:
        return f"1.{self.session}.{self.visit}.{self.since}"


def _read(call: Call) -> Sent:
    payload = read_payload(call.body, call.headers.get("Content-Type", ""))
    value = payload.value
    items = value if isinstance(value, list) else [value]
    if not items or not isinstance(items[0], dict):
        raise Refusal(Reason.NOT_AN_OBJECT, "The body must be an object with type and payload, or a list.")
    visit = _Visit.of(call.headers.get("X-Umami-Cache", ""))
    site = _site(items[0])

    def one(index: int, item: dict[str, Any], hit: Hit) -> Event:
        if _site(item) != site:
            raise Refusal(Reason.UNKNOWN_SOURCE, "A batch is for one website.")
        return _event(index, item, hit, visit)

    protocol = in_turn(NAME, items, one, payload.flags, LIMITS)
    return Sent(
        (site,) if site else (),
        protocol,
        more=(visit, isinstance(value, list)),
        tells_each=isinstance(value, list),
    )


def _site(item: Any) -> str:
    held = an_object(item, "payload") if isinstance(item, dict) else {}
    return next((found for key in ("website", "link", "pixel") if (found := text(held, key))), "")


def _event(index: int, item: dict[str, Any], hit: Hit, visit: _Visit) -> Event:
    payload = an_object(item, "payload")
    sort, name = text(item, "type") or "event", text(payload, "name")
    if sort not in {"event", "identify", "performance"}:
        raise Refusal(Reason.UNKNOWN_TYPE, "Known types: event, identify, performance.")
    kind = {"identify": "identify", "performance": "track"}.get(sort, "track" if name else "page")
    places = {**PLACES, "data": "traits"} if kind == "identify" else PLACES
    beside = {key: value for key, value in item.items() if key != "payload"}
    message = placed(NAME, {**payload, **{f"${key}": value for key, value in beside.items()}}, places)
    if kind == "track":
        message["event"] = name or sort
    if visit.known or "Origin" in hit.headers:  # a server has no page that keeps the token
        message["anonymousId"], message["sessionId"] = visit.session, visit.visit
    context = message["context"]
    _complete_page(context, payload)
    speak_for_browser(context, hit)
    return finished(index, kind, message, hit, original=seconds_to_ms(payload.get("timestamp")))


def _complete_page(context: dict[str, Any], payload: dict[str, Any]) -> None:
    """Give the page its whole address: scripts send the path, and the host beside it."""
    page, host = context.get("page", {}), payload.get("hostname")
    url = page.get("url", "")
    if url.startswith("/") and isinstance(host, str) and host:
        page["url"] = f"https://{host}{url}"
    elif url.startswith("/"):
        page["path"], mark, query = page.pop("url").partition("?")
        page |= {"search": mark + query} if mark else {}


def _accepted(sent: Sent, outcomes: Sequence[Outcome]) -> Answer:
    visit, many = sent.more
    ids = {"cache": visit.token, "sessionId": visit.session, "visitId": visit.visit}
    if many:
        details = [
            {"index": outcome.index, "response": {"error": outcome.refusal.message}}
            for outcome in outcomes
            if outcome.refusal
        ]
        size, errors = len(outcomes), len(details)
        told = {"size": size, "processed": size - errors, "errors": errors, "details": details}
        return json_body(200, {**told, "cache": visit.token})
    if all(outcome.verdict == "dropped" for outcome in outcomes):
        return json_body(200, {"beep": "boop"})
    return json_body(200, ids)


UMAMI = Dialect(NAME, _read, _accepted)
