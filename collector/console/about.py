"""The tabs that only show: Privacy (the statement), History (who changed what), Deliveries (of webhooks)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from aiohttp import web

from collector.console.advice import advice
from collector.console.tabs import tab
from collector.sources.secret import MASK
from collector.sources.statement import statement

if TYPE_CHECKING:
    from collector.console.parts import Parts

_PAGE = 50
_CREDENTIALS = {"authorization", "x-gitlab-token", "x-webhook-token"}


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


async def deliveries(parts: Parts, request: web.Request) -> web.Response:
    """Show the last deliveries of a webhook source with their verdicts."""
    source = parts.source(request)
    if source.bridge != "webhook":
        raise web.HTTPNotFound
    rows = await parts.deliveries.last(source.id)
    secrets = [secret.get_secret_value() for secret in source.settings.secrets]
    for row in rows:
        row["came"] = _as_it_came(row["raw"], secrets) if "raw" in row else ""
    return tab(
        source,
        request,
        "deliveries",
        rows=rows,
        advice=advice,
        address=f"{parts.public}/h/{source.id}",
    )


def _as_it_came(raw: dict[str, Any], secrets: list[str]) -> str:
    """Return a kept delivery as text, without what would let its reader send in the provider's name."""
    headers = [
        f"{name}: {'(hidden)' if name.lower() in _CREDENTIALS else value}"
        for name, value in raw["headers"].items()
    ]
    body = base64.b64decode(raw["body"]).decode(errors="replace")
    text = "\n".join([f"{raw['method']} {raw['url']}", *headers, "", body])
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text
