"""The tabs that only show: Privacy (the statement), History (who changed what)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.console.tabs import tab
from collector.sources.statement import statement

if TYPE_CHECKING:
    from aiohttp import web

    from collector.console.parts import Parts

_PAGE = 50


async def privacy(parts: Parts, request: web.Request) -> web.Response:
    """Show the statement of what a source collects, ready for a privacy page."""
    source = parts.source(request)
    return tab(source, request, "privacy", statement=statement(source))


async def history(parts: Parts, request: web.Request) -> web.Response:
    """Show what was changed at a source, by whom and when."""
    source = parts.source(request)
    before = request.query.get("before", "")
    if not all(part.isdigit() for part in before.split("-")) and before:
        before = ""
    changes = await parts.catalogue.history(source.id, before=before, most=_PAGE)
    return tab(source, request, "history", changes=changes, more=len(changes) == _PAGE)
