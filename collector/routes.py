"""Every public path on one screen."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, web

from collector.answer import (
    cross_origin,
    guarded,
    json_answer,
    preflight_answer,
    refusal_answer,
    settled,
    text_answer,
)
from collector.lean import LeanRoute
from collector.model import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collector.answer import Handler
    from collector.bridges.dialects import DialectBridge
    from collector.bridges.documents import ClientDocuments
    from collector.bridges.email import EmailBridge
    from collector.bridges.imports import ImportBridge
    from collector.bridges.rest import RestBridge
    from collector.bridges.shared_track import SharedTrack
    from collector.bridges.tracardi import TracardiBridge
    from collector.bridges.web import WebBridge
    from collector.bridges.webhook import WebhookBridge
    from collector.exchange import Answer, Request
    from collector.health import Health
    from collector.pipeline import Pipeline
    from collector.tracker import TrackerViews

_SOURCE = "{source:[A-Za-z0-9_-]{2,64}}"
_KIND = "{kind:track|page|screen|identify|group|alias|batch|[tpsigab]}"
_EVENT, _SESSION = "{kind:[^/]{1,200}}", "{session:[^/]{1,100}}"
_VENDOR, _VERSION = r"{vendor:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+}", "{version:[^/]{1,100}}"
_WRITE_KEY = "{key:[^/]{1,200}}"
_PATH = "{path:.*}"
_ANYTHING = r"/{rest:[\s\S]*}"  # also a line break, which a dot does not stand for
_SIGNED = "{token:[^/]{1,8000}}"
_DIGEST = "{digest:[0-9a-f]{16}}"

_BEYOND_ONE_PART = re.compile(r"(?<=[^/]/).+", re.DOTALL)

_GPC_SINCE = "2026-11-23"
_ROBOTS = "User-agent: *\nDisallow: /\n"


def public_routes(
    prefix: str,
    *,
    tracker: TrackerViews,
    browser: WebBridge,
    rest: RestBridge,
    imports: ImportBridge,
    documents: ClientDocuments,
    tracardi: TracardiBridge,
    dialects: DialectBridge,
    shared_track: SharedTrack,
    webhooks: WebhookBridge,
    email: EmailBridge,
    health: Health,
    elsewhere: Handler,
) -> list[web.RouteDef]:
    """Return the routes of the public door, each behind the prefix, and who answers what comes elsewhere."""
    table: list[tuple[str, str, Handler]] = [
        ("GET", f"/s/{_SOURCE}.js", tracker.stable),
        ("GET", f"/s/{_SOURCE}.{_DIGEST}.js", tracker.immutable),
        ("POST", f"/e/{_SOURCE}", browser.beacon),
        ("OPTIONS", f"/e/{_SOURCE}", browser.preflight),
        ("GET", f"/p/{_SOURCE}.gif", email.pixel),
        ("GET", f"/l/{_SIGNED}", email.click),
        ("GET", f"/u/{_SIGNED}", email.ask),
        ("POST", f"/u/{_SIGNED}", email.unsubscribe),
        *_posted(f"/v1/{_KIND}", rest.take),
        *_posted("/v1/import", imports.take),
        *_posted("/beacon/v1/batch", rest.take),  # RudderStack's sendBeacon
        *_posted(f"/api/s/{_KIND}", rest.take),  # Jitsu
        *_posted(f"/api/s/s2s/{_KIND}", rest.take),
        *_fetched(f"/v1/projects/{_WRITE_KEY}/settings", documents.segment),
        *_fetched("/sourceConfig", documents.rudder),
        *_fetched("/sourceConfig/", documents.rudder),
        *_posted("/track", shared_track.take),
        *_posted(f"/collect/{_EVENT}/{_WRITE_KEY}", tracardi.collect),
        *_posted(f"/collect/{_EVENT}/{_WRITE_KEY}/{_SESSION}", tracardi.collect),
        ("GET", f"/collect/{_EVENT}/{_WRITE_KEY}", tracardi.collect),
        ("GET", f"/collect/{_EVENT}/{_WRITE_KEY}/{_SESSION}", tracardi.collect),
        *_dialect_routes(dialects, documents),
        ("*", f"/h/{_SOURCE}", webhooks.take),
        ("*", f"/h/{_SOURCE}/{_PATH}", webhooks.take),
        ("GET", "/healthz", health.healthz),
        ("GET", "/readyz", health.readyz),
        ("GET", "/version", health.version),
        ("GET", "/robots.txt", robots),
    ]
    routes = [web.get("/.well-known/gpc.json", guarded(gpc))]  # the one path that stands where others look
    for method, path, handler in [*table, ("*", _ANYTHING, elsewhere)]:
        where = path if path == _ANYTHING else prefix + path
        routes.append(web.route(method, where, guarded(handler), expect_handler=go_on))
    return routes


def _dialect_routes(dialects: DialectBridge, documents: ClientDocuments) -> list[tuple[str, str, Handler]]:
    """Return the paths that other systems' clients send to."""
    return [
        *_posted("/api/event", dialects.takes("plausible")),
        *_posted("/api/send", dialects.takes("umami")),
        *_posted("/api/batch", dialects.takes("umami")),
        *_posted("/e/", dialects.takes("posthog")),
        *_posted("/batch/", dialects.takes("posthog")),
        *_posted("/capture", dialects.takes("posthog")),
        *_posted("/capture/", dialects.takes("posthog")),
        *_posted("/i/v0/e/", dialects.takes("posthog")),
        *_posted("/i/v1/analytics/events", dialects.takes("posthog")),
        *_posted("/matomo.php", dialects.takes("matomo")),
        ("GET", "/matomo.php", dialects.takes("matomo")),
        *_posted("/piwik.php", dialects.takes("matomo")),
        ("GET", "/piwik.php", dialects.takes("matomo")),
        ("GET", "/i", dialects.takes("snowplow")),
        *_posted(f"/{_VENDOR}/{_VERSION}", dialects.takes("snowplow")),
        *_posted("/mp/collect", dialects.takes("ga4")),
        *_posted("/debug/mp/collect", dialects.takes("ga4")),
        *_posted("/g/collect", dialects.takes("ga4")),
        ("GET", "/g/collect", dialects.takes("ga4")),
        *_posted("/2/httpapi", dialects.takes("amplitude")),
        *_posted("/batch", dialects.takes("amplitude")),
        ("GET", "/track", dialects.takes("mixpanel")),  # what is posted there may be Tracardi's
        *_either("/track/", dialects.takes("mixpanel")),
        *_either("/engage", dialects.takes("mixpanel")),
        *_either("/engage/", dialects.takes("mixpanel")),
        *_either("/groups", dialects.takes("mixpanel")),
        *_either("/groups/", dialects.takes("mixpanel")),
        *_either("/import", dialects.takes("mixpanel")),
        *_posted(f"/r/{_SOURCE}", dialects.takes("reports")),
        *_posted(f"/v/{_SOURCE}", dialects.takes("vitals")),
        *_fetched(f"/array/{_WRITE_KEY}/config", documents.posthog),
        *_fetched(f"/array/{_WRITE_KEY}/config.js", documents.posthog_script),
        *_posted("/flags", documents.posthog_flags),
        *_posted("/flags/", documents.posthog_flags),
        *_posted("/decide", documents.posthog_flags),
        *_posted("/decide/", documents.posthog_flags),
    ]


def lean_routes(prefix: str, *, browser: WebBridge, email: EmailBridge) -> list[LeanRoute]:
    """Return the routes that the lean way in serves too: what browsers and mail programs ask for most."""
    table: list[tuple[set[str], str, Callable[[Request], Awaitable[Answer]]]] = [
        ({"POST"}, "/e/{source}", browser.beacon),
        ({"GET", "HEAD"}, "/p/{source}.gif", email.pixel),
        ({"GET", "HEAD"}, "/l/{token}", email.click),
    ]
    return [
        LeanRoute(frozenset(methods), _pattern(prefix + path), partial(settled, handler))
        for methods, path, handler in table
    ]


def _pattern(path: str) -> re.Pattern[str]:
    """Return the pattern of a path with its query; a name in braces takes what needs no decoding."""
    named = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[A-Za-z0-9_.-]{2,8000})", re.escape(path))
    return re.compile(named + r"(\?.*)?")


def _posted(path: str, handler: Handler) -> list[tuple[str, str, Handler]]:
    """Return the routes of a path that other origins may post to; its key decides later which."""
    return [("POST", path, handler), ("OPTIONS", path, preflight)]


def _either(path: str, handler: Handler) -> list[tuple[str, str, Handler]]:
    """Return the routes of a path that takes what stands in a query as well as what is posted."""
    return [("GET", path, handler), *_posted(path, handler)]


def _fetched(path: str, handler: Handler) -> list[tuple[str, str, Handler]]:
    """Return the routes of a document that pages of other origins read."""
    return [("GET", path, handler), ("OPTIONS", path, preflight)]


async def preflight(request: web.Request) -> Answer:
    """Answer a CORS preflight."""
    return preflight_answer(request)


async def robots(_request: web.Request) -> Answer:
    """Ask crawlers to stay away: nothing here is for reading."""
    return text_answer(_ROBOTS)


async def gpc(_request: web.Request) -> Answer:
    """Say that Global Privacy Control is honoured, as https://www.w3.org/TR/gpc/ asks."""
    return json_answer(200, {"gpc": True, "lastUpdate": _GPC_SINCE}, {})


async def go_on(request: web.Request) -> None:
    """Let a body come that waits to be asked for; what else a client expects changes no answer."""
    if request.version >= HttpVersion11 and request.headers["Expect"].lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer has not begun


async def unmatched(pipeline: Pipeline, request: web.Request) -> Answer:
    """Refuse a path that nothing is served at, or a method that a path does not take.

    What may have been meant as a hit or a tracker stands among the refusals, without its path's end: a
    key may be in it.
    """
    allowed = {
        route.method
        for route in request.app.router.routes()
        if route.method != "*" and route.resource and await _serves(route.resource, request)
    }
    if not allowed:
        refusal = Refusal(Reason.NOT_FOUND)
        if request.method == "POST" or request.path.endswith((".js", ".gif")):
            beginning = _BEYOND_ONE_PART.sub("…", request.path)
            pipeline.refuse(None, refusal, where=f"{request.method} {beginning}"[:200])
        raise refusal
    refusal = Refusal(Reason.METHOD_NOT_ALLOWED, f"It takes {', '.join(sorted(allowed))}.")
    return refusal_answer(refusal, {"Allow": ", ".join(sorted(allowed)), **cross_origin(request)})


async def _serves(resource: web.AbstractResource, request: web.Request) -> bool:
    _, methods = await resource.resolve(request)
    return bool(methods)
