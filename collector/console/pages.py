"""The demo page, on an origin of its own as a customer's site would be, and the metrics."""

from __future__ import annotations

import os
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import jinja2
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.registry import REGISTRY

from collector.answer import NO_STORE
from collector.assets import asset
from collector.tracker import snippet

if TYPE_CHECKING:
    from collector.ports import Ports
    from collector.settings import Settings
    from collector.sources import Catalogue


def console_routes(
    settings: Settings, ports: Ports, catalogue: Catalogue
) -> list[web.RouteDef | web.StaticDef]:
    """Return the routes of the console listener."""
    return [
        web.get("/demo/{source}", partial(demo, settings, ports, catalogue)),
        web.get("/metrics", metrics),
        web.static("/static", asset("static")),
    ]


async def demo(settings: Settings, ports: Ports, catalogue: Catalogue, request: web.Request) -> web.Response:
    """Show a page with the source's snippet in it, to click about on and watch the events."""
    source = catalogue.find(request.match_info["source"])
    if source is None or source.bridge != "web":
        raise web.HTTPNotFound(text="No web source has this id.\n")
    tag = snippet(source, settings.public_address(ports.public))
    page = _template().render(source=source, snippet=tag)
    return web.Response(text=page, content_type="text/html", headers=NO_STORE)


async def metrics(_request: web.Request) -> web.Response:
    """Answer the metrics of all workers in Prometheus' text format."""
    registry: CollectorRegistry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return web.Response(
        body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST, **NO_STORE}
    )


@lru_cache(1)
def _template() -> jinja2.Template:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(asset("templates")), autoescape=True)
    return environment.get_template("demo.html.j2")
