"""Serve trackers so that browsers and CDNs can cache them: stable path, digest path, ETag, HEAD."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import structlog
from aiohttp import web
from redis.exceptions import RedisError

from collector.answer import where
from collector.model import Reason, Refusal, Source
from collector.tracker.render import Rendered, packed, render, served
from collector.tracker.staged import staged

if TYPE_CHECKING:
    from collector.pipeline import Pipeline
    from collector.sources.tracker_token import TrackerTokens
    from collector.store.trackers import TrackerArchive

log = structlog.get_logger()

K = TypeVar("K")
V = TypeVar("V")

_SECONDS_TO_RECALL = 10
_MOST_REMEMBERED = 10_000  # of those that were archived; another time costs a round trip
_MOST_RECALLED = 256  # bodies of older versions, for sources that have two
_YEAR_SECONDS = 365 * 24 * 3600
_HEADERS = {
    "Content-Type": "text/javascript; charset=utf-8",
    "Vary": "Accept-Encoding",
    "Access-Control-Allow-Origin": "*",  # Subresource Integrity needs a CORS answer
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class TrackerViews:
    """The handlers of the tracker's paths."""

    pipeline: Pipeline
    archive: TrackerArchive
    tokens: TrackerTokens
    remembered: dict[tuple[str, str], None] = field(default_factory=dict)
    recalled: dict[tuple[str, str], bytes] = field(default_factory=dict)

    async def stable(self, request: web.Request) -> web.StreamResponse:
        """Serve the tracker of a source as it is now, for a short time."""
        source = self._source(request)
        rendered = await self._now(source)
        settings = self.pipeline.settings
        fresh, stale = settings.tracker_seconds, settings.tracker_stale_seconds
        return _serve(request, rendered, f"public, max-age={fresh}, stale-while-revalidate={stale}")

    async def immutable(self, request: web.Request) -> web.StreamResponse:
        """Serve the bytes of a digest for a year; send who asks for a forgotten one to the stable path.

        They carry no token: theirs would have ended long before they do.
        """
        source = self._source(request)
        if not source.enabled:
            raise Refusal(Reason.SOURCE_DISABLED)
        digest = request.match_info["digest"]
        rendered = render(source)
        if rendered.digest != digest:
            body = await self._recall(source.id, digest)
            if body is None:
                return _to_stable(request)
            rendered = packed(body)
        else:
            await self._remember(source, rendered)
        return _serve(request, rendered, f"public, max-age={_YEAR_SECONDS}, immutable")

    async def _now(self, source: Source) -> Rendered:
        """Return the tracker as everybody gets it now: for a while in two versions, for an hour with a token.

        Raises Refusal tracker_unavailable.
        """
        rendered = render(source)
        if not source.enabled:
            return rendered
        await self._remember(source, rendered)
        body = rendered.body
        if source.settings.staged:
            body = staged(body, await self._older(source), source)
        token = self.tokens.sign(source, time.time())
        return rendered if body is rendered.body and not token else served(body, token)

    async def _older(self, source: Source) -> bytes:
        key = (source.id, source.settings.older)
        if key not in self.recalled:
            body = await self._recall(*key)
            if body is None:  # better none for a moment than the one that was to be held back
                raise Refusal(Reason.TRACKER_UNAVAILABLE, source=source.id, retry_after=_SECONDS_TO_RECALL)
            _keep(self.recalled, key, body, _MOST_RECALLED)
        return self.recalled[key]

    def _source(self, request: web.Request) -> Source:
        """Return the source of a tracker. Raises Refusal unknown_source, which its site never hears of."""
        source = self.pipeline.catalogue.find(request.match_info["source"])
        if source is None or source.bridge != "web":
            refusal = Refusal(Reason.UNKNOWN_SOURCE)
            self.pipeline.refuse(None, refusal, where=where(request))
            raise refusal
        return source

    async def _remember(self, source: Source, rendered: Rendered) -> None:
        key = (source.id, rendered.digest)
        if key in self.remembered:
            return
        try:
            await self.archive.remember(source.id, rendered.digest, rendered.body)
        except (RedisError, OSError) as error:  # serving goes on; the next request tries again
            log.warning("tracker_not_remembered", source=source.id, error=str(error))
        else:
            _keep(self.remembered, key, None, _MOST_REMEMBERED)

    async def _recall(self, source: str, digest: str) -> bytes | None:
        try:
            return await self.archive.recall(source, digest)
        except (RedisError, OSError):
            return None


def _keep(held: dict[K, V], key: K, value: V, most: int) -> None:
    """Hold a value; the one that was held for longest makes way."""
    if len(held) >= most:
        del held[next(iter(held))]
    held[key] = value


def _serve(request: web.Request, rendered: Rendered, cache: str) -> web.Response:
    encoding, body = _encoded(request, rendered)
    etag = f'"{rendered.digest}{"-" + encoding if encoding else ""}"'
    headers = {**_HEADERS, "Cache-Control": cache, "ETag": etag}
    if _matches(request.headers.get("If-None-Match", ""), rendered.digest):
        return web.Response(status=304, headers=headers)
    if encoding:
        headers["Content-Encoding"] = encoding
    return web.Response(body=body, headers=headers)


def _encoded(request: web.Request, rendered: Rendered) -> tuple[str, bytes]:
    """Choose by Accept-Encoding; an encoding with ``q=0`` is refused by the client."""
    accepted = set()
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            accepted.add(name.strip())
    if "br" in accepted:
        return "br", rendered.brotli
    return ("gzip", rendered.gzip) if "gzip" in accepted else ("", rendered.body)


def _matches(condition: str, digest: str) -> bool:
    """Tell whether the client holds these bytes, in any encoding, also as a proxy's weak tag."""
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in condition.split(",")]
    return "*" in tags or any(tag.split("-", 1)[0] == digest for tag in tags)


def _to_stable(request: web.Request) -> web.Response:
    # Relative, so that it holds behind any prefix or proxy.
    return web.Response(
        status=302,
        headers={
            "Location": f"{request.match_info['source']}.js",
            "Cache-Control": "no-store",
            "Access-Control-Allow-Origin": "*",
        },
    )
