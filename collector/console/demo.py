"""The demo page, on an origin of its own as a customer's site would be, and the metrics."""

from __future__ import annotations

import asyncio
import os
import secrets
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.registry import REGISTRY

from collector.answer import NO_STORE
from collector.metrics import SOURCES
from collector.render import environment
from collector.tracker import snippet

if TYPE_CHECKING:
    from collector.console.parts import Parts


async def demo(parts: Parts, request: web.Request) -> web.Response:
    """Show a page with the source's snippet in it, to click about on and watch the events."""
    source = parts.catalogue.find(request.match_info["source"])
    if source is None or source.bridge != "web":
        raise web.HTTPNotFound(text="No web source has this id.\n")
    nonce = secrets.token_urlsafe(16)
    tag = snippet(source, parts.public, nonce=nonce)
    policy = {"Content-Security-Policy": _policy(nonce, parts.public)}
    text = environment().get_template("demo.html.j2").render(source=source, snippet=tag)
    return web.Response(text=text, content_type="text/html", headers={**NO_STORE, **policy})


def _policy(nonce: str, public: str) -> str:
    """Return what keeps the tracker, on this page of the console's origin, from talking to the console."""
    host = "/".join(public.split("/")[:3])
    return (
        f"default-src 'none'; style-src 'self'; script-src 'self' 'nonce-{nonce}' {host}; connect-src {host};"
        f" img-src {host} data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


async def metrics(parts: Parts, _request: web.Request) -> web.Response:
    """Answer the metrics of all workers in Prometheus' text format."""
    SOURCES.set(len(parts.catalogue))
    registry: CollectorRegistry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    body = await asyncio.to_thread(generate_latest, registry)  # of many sources it is long: hits go on
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST, **NO_STORE})
