"""A source's page: its head, and the tabs that its bridge has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from collector.console.inbound import BRIDGES
from collector.render import page, see_other

if TYPE_CHECKING:
    from collector.console.parts import Parts
    from collector.model import Source

# Path, title, and the bridges that have it; none for all.
_TABS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("overview", "Overview", ()),
    ("live", "Live", ()),
    ("install", "Install", ()),
    ("test", "Test", ()),
    ("messages", "Messages", ("email",)),
    ("deliveries", "Deliveries", ("webhook", "rest")),
    ("keys", "Keys", ("rest", "email", "web")),
    ("settings", "Settings", ()),
    ("privacy", "Privacy", ()),
    ("history", "History", ()),
)


def tab(source: Source, request: web.Request, name: str, *, status: int = 200, **values: Any) -> web.Response:
    """Return a tab of a source, rendered from its template. Raises HTTPNotFound when its bridge has none."""
    tabs = [(path, title) for path, title, bridges in _TABS if _has(source, path, bridges)]
    if name not in dict(tabs):
        raise web.HTTPNotFound
    return page(
        request,
        f"{name}.html",
        status=status,
        source=source,
        tabs=tabs,
        tab=name,
        bridge=BRIDGES[source.bridge],
        **values,
    )


def _has(source: Source, path: str, bridges: tuple[str, ...]) -> bool:
    if path == "keys" and source.bridge == "web":
        return bool(source.settings.asks_for_token)  # else it has no key that does anything
    return not bridges or source.bridge in bridges


async def first_tab(parts: Parts, request: web.Request) -> web.Response:
    """Lead to what is to be done with a source."""
    return see_other(f"/sources/{parts.source(request).id}/{_TABS[0][0]}")
