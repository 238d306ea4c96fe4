"""Send a test through the real public door, as the real sender would, or say what would be stored of it."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import aiohttp
import orjson
from multidict import CIMultiDict

from collector.links import Mark, Purpose
from collector.model import Hit, Refusal
from collector.protocols import native
from collector.protocols.email import email
from collector.protocols.ids import uuid7
from collector.protocols.payload import read_payload
from collector.protocols.sample import sample
from collector.protocols.segment import segment
from collector.protocols.webhook import webhook
from collector.sources.email import signer
from collector.sources.keys import add_key, revoke_key
from collector.sources.tracker_token import TrackerTokens, with_token
from collector.trial import dry_run
from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from collector import protocols
    from collector.model import Source
    from collector.pipeline import Pipeline
    from collector.ports import Ports
    from collector.settings import Settings
    from collector.sources import Catalogue
    from collector.store.workers import Roll
    from collector.stream.feed import Entry, Feed

_PATIENCE_SECONDS = 3.0
_LOOK_SECONDS = 0.1
_LATELY = 50
_A_MINUTE = 60
_ANSWER_SECONDS = 10
_MOST_ANSWER_BYTES = 20_000

# What can be sent to a source of each bridge: the kind, and its name for people.
KINDS: dict[str, dict[str, str]] = {
    "web": {"page": "Page view", "click": "Click", "form": "Form", "track": "Custom event"},
    "rest": {"track": "REST call: track", "page": "REST call: page", "identify": "REST call: identify"},
    "webhook": {"delivery": "Webhook delivery"},
    "email": {"open": "Open of a mail"},
    "queue": {},  # it is not sent to: it fetches by itself
}


class Parts(Protocol):
    """The parts of a running collector that a test needs; the console's and the API's both are."""

    @property
    def settings(self) -> Settings: ...
    @property
    def ports(self) -> Ports: ...
    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def pipeline(self) -> Pipeline: ...
    @property
    def feed(self) -> Feed: ...
    @property
    def roll(self) -> Roll: ...
    @property
    def public(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to test; ``browser`` are headers of theirs that a browser's hit would carry."""

    kind: str
    event: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    browser: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """What goes out: a hit that can be sent or tried, the protocol that reads it, the id to look for."""

    hit: Hit
    understand: protocols.Protocol
    message: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a test. ``entry`` is where it is stored, ``reports`` are those of a dry run."""

    sent: Sent
    status: int = 0
    reason: str = ""
    answer: str = ""
    entry: Entry | None = None
    reports: list[dict[str, Any]] | None = None
    error: str = ""


def prepare(parts: Parts, source: Source, wish: Wish) -> Sent:
    """Return the hit of a test. Raises SampleError when only a provider could sign it."""
    now = time.time_ns() // 1_000_000
    return _MAKERS[source.bridge](source, parts.public, wish, now)


async def send(parts: Parts, sent: Sent) -> Result:
    """Send a test through the door and look for it in the stream."""
    async with _with_key(parts, sent.hit) as hit:
        try:
            status, reason, answer = await _request(parts, hit)
        except (aiohttp.ClientError, TimeoutError) as error:
            return Result(sent, error=f"The public door did not answer: {why(error)}.")
    entry = None if reason else await _arrival(parts, sent)
    return Result(sent, status, reason, answer, entry)


def try_out(parts: Parts, sent: Sent) -> Result:
    """Say what would be stored, without sending anything."""
    pipeline = parts.pipeline
    try:
        reports = dry_run(sent.hit, sent.understand, pipeline.enricher, pipeline.settings)
    except Refusal as refusal:
        return Result(sent, reason=refusal.reason.code, error=refusal.message)
    return Result(sent, reports=reports)


def _beacon(source: Source, public: str, wish: Wish, now: int) -> Sent:
    origin = origin_for(source)
    message = uuid7(now)
    page = {"url": f"{origin}/test?utm_source=headwater-test", "title": "Test from the console"}
    item: dict[str, Any] = {
        "type": "page" if wish.kind == "page" else "track",
        "messageId": message,
        "properties": {"test": True, **_EXAMPLES.get(wish.kind, {}), **wish.properties},
        "context": {"page": page},
    }
    if wish.kind != "page":
        item["event"] = wish.event or _NAMES.get(wish.kind, _EVENT)
    if source.privacy.consent == "required":
        item["context"]["consent"] = {"analytics": True}
    token = TrackerTokens(_A_MINUTE).sign(source, now / 1000)
    headers = {"Content-Type": "text/plain", "Origin": origin, "Sec-Fetch-Mode": "cors", **wish.browser}
    body = orjson.dumps({"batch": [item]})
    address = with_token(f"{public}/e/{source.id}", token)
    return Sent(_hit(source, address, body, headers, now), native.beacon, message)


def _call(source: Source, public: str, wish: Wish, now: int) -> Sent:
    message = uuid7(now)
    item: dict[str, Any] = {"messageId": message, "userId": "test-user"}
    item["traits" if wish.kind == "identify" else "properties"] = {"test": True, **wish.properties}
    if wish.kind != "identify":
        item["event" if wish.kind == "track" else "name"] = wish.event or _EVENT
    headers = {"Content-Type": "application/json", "User-Agent": "headwater-test"}
    hit = _hit(source, f"{public}/v1/{wish.kind}", orjson.dumps(item), headers, now)
    return Sent(hit, segment(read_payload(hit.body, "application/json"), wish.kind), message)


def _open(source: Source, public: str, wish: Wish, now: int) -> Sent:
    purpose: Purpose = "open"
    mark = Mark("console-test", f"test-{secrets.token_hex(4)}", consented=True)
    url = f"{public}/p/{source.id}.gif?t={signer(source).sign(purpose, mark)}"
    hit = _hit(source, url, b"", wish.browser, now)
    return Sent(replace(hit, method="GET"), email(purpose, mark), mark.recipient)


def _delivery(source: Source, public: str, _wish: Wish, now: int) -> Sent:
    hit = sample(source, source.settings.plan, f"{public}/h/{source.id}", now)
    return Sent(replace(hit, headers=CIMultiDict(hit.headers)), webhook(source.settings.plan))


_MAKERS = {"web": _beacon, "rest": _call, "email": _open, "webhook": _delivery}
_EVENT = "Test event"
_NAMES = {"click": "Click", "form": "Form Submitted"}
_EXAMPLES = {
    "click": {"text": "Buy", "url": "https://shop.example/cart"},
    "form": {"form": "newsletter", "action": "/subscribe"},
}


def _hit(source: Source, url: str, body: bytes, headers: Mapping[str, str], now: int) -> Hit:
    return Hit(source, now, body, urlsplit(url).query, CIMultiDict(headers), address="127.0.0.1", url=url)


def origin_for(source: Source) -> str:
    """Return an origin that the source allows."""
    first: str = source.settings.origins[0] if source.settings.origins else "*"
    return "https://shop.example" if first == "*" else first.replace("*.", "www.")


@asynccontextmanager
async def _with_key(parts: Parts, hit: Hit) -> AsyncIterator[Hit]:
    """Yield the hit with a write key made for it, if its source asks for one; it ends with the test."""
    source = hit.source
    if source.bridge != "rest":
        yield hit
        return
    before = {key.id for key in source.settings.keys}
    secret = await add_key(parts.catalogue, source.id, label="Test")
    made = [key.id for key in parts.catalogue.get(source.id).settings.keys if key.id not in before]
    try:
        await parts.roll.taken(await parts.catalogue.latest())
        headers = CIMultiDict({**hit.headers, "Authorization": f"Bearer {secret}"})
        yield replace(hit, headers=headers)
    finally:
        for each in made:
            await revoke_key(parts.catalogue, source.id, each)


async def _request(parts: Parts, hit: Hit) -> tuple[int, str, str]:
    """Ask the public door on this machine for what the hit asks of its public address."""
    address = urlsplit(hit.url)
    host = "127.0.0.1" if parts.settings.host in {"0.0.0.0", "::"} else parts.settings.host  # noqa: S104 - compared
    url = f"http://{host}:{parts.ports.public}{address.path}" + (f"?{address.query}" if address.query else "")
    headers = {**hit.headers, "Host": address.netloc}
    timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.request(
            hit.method, url, data=hit.body or None, headers=headers, allow_redirects=False
        ) as answer,
    ):
        body = await answer.content.read(_MOST_ANSWER_BYTES)
        text = body.decode(errors="replace") if answer.content_type != "image/gif" else "(a GIF)"
        return answer.status, answer.headers.get("X-Headwater-Reason", ""), text


async def _arrival(parts: Parts, sent: Sent) -> Entry | None:
    """Return the entry of a test, None when it does not come in time: it waits in the spool, then."""
    source, since = sent.hit.source, sent.hit.received_at - 1000
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        for entry in await parts.feed.last(source.id, source.streams, _LATELY):
            named = {entry.body.get("messageId"), entry.body.get("anonymousId")}
            if entry.at * 1000 >= since and (not sent.message or sent.message in named):
                return entry
        await asyncio.sleep(_LOOK_SECONDS)
    return None
