"""Every public path on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from collector.answer import NO_STORE, cross_origin, guarded, refusal_answer
from collector.model import Reason, Refusal

if TYPE_CHECKING:
    from collector.answer import Handler
    from collector.bridges.rest import RestBridge
    from collector.bridges.web import WebBridge
    from collector.bridges.webhook import WebhookBridge
    from collector.health import Health
    from collector.tracker import TrackerViews

_SOURCE = "{source:[A-Za-z0-9_-]{2,64}}"
_KIND = "{kind:track|page|screen|identify|group|alias|batch|[tpsigab]}"
_PATH = "{path:.*}"
_DIGEST = "{digest:[0-9a-f]{16}}"

_ROBOTS = "User-agent: *\nDisallow: /\n"


def public_routes(
    prefix: str,
    *,
    tracker: TrackerViews,
    browser: WebBridge,
    rest: RestBridge,
    webhooks: WebhookBridge,
    health: Health,
) -> list[web.RouteDef]:
    """Return the routes of the public door, each behind the prefix."""
    table = [
        ("GET", f"/s/{_SOURCE}.js", tracker.stable),
        ("GET", f"/s/{_SOURCE}.{_DIGEST}.js", tracker.immutable),
        ("POST", f"/e/{_SOURCE}", browser.beacon),
        ("OPTIONS", f"/e/{_SOURCE}", browser.preflight),
        ("GET", f"/p/{_SOURCE}.gif", browser.pixel),
        *_both(f"/v1/{_KIND}", rest),
        *_both("/beacon/v1/batch", rest),  # RudderStack's sendBeacon
        *_both(f"/api/s/{_KIND}", rest),  # Jitsu
        *_both(f"/api/s/s2s/{_KIND}", rest),
        ("*", f"/h/{_SOURCE}", webhooks.take),
        ("*", f"/h/{_SOURCE}/{_PATH}", webhooks.take),
        ("GET", "/healthz", health.healthz),
        ("GET", "/readyz", health.readyz),
        ("GET", "/version", health.version),
        ("GET", "/robots.txt", robots),
    ]
    routes = []
    for method, path, handler in table:
        routes.append(web.route(method, prefix + path, guarded(handler)))
    return [*routes, web.route("*", "/{rest:.*}", guarded(unmatched))]


def _both(path: str, rest: RestBridge) -> list[tuple[str, str, Handler]]:
    return [("POST", path, rest.take), ("OPTIONS", path, rest.preflight)]


async def robots(_request: web.Request) -> web.Response:
    """Ask crawlers to stay away: nothing here is for reading."""
    return web.Response(text=_ROBOTS, headers=NO_STORE)


async def unmatched(request: web.Request) -> web.Response:
    """Refuse a path that nothing is served at, or a method that a path does not take."""
    allowed = {
        route.method
        for route in request.app.router.routes()
        if route.method != "*" and route.resource and await _serves(route.resource, request)
    }
    if not allowed:
        raise Refusal(Reason.NOT_FOUND)
    refusal = Refusal(Reason.METHOD_NOT_ALLOWED, f"It takes {', '.join(sorted(allowed))}.")
    return refusal_answer(refusal, {"Allow": ", ".join(sorted(allowed)), **cross_origin(request)})


async def _serves(resource: web.AbstractResource, request: web.Request) -> bool:
    _, methods = await resource.resolve(request)
    return bool(methods)
