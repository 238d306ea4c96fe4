"""The tab Keys: write keys of servers, keys that sign mails or tokens. A secret is shown once, when made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from collector.access import Role
from collector.access.gate import posted
from collector.console.guard import require
from collector.console.tabs import tab
from collector.render import see_other
from collector.sources import SourceError
from collector.sources.keys import add_key, revoke_key, rotate_key, rotate_signing_key

if TYPE_CHECKING:
    from aiohttp import web

    from collector.console.parts import Parts

_LONGEST_OVERLAP_HOURS = 24 * 90


async def keys(parts: Parts, request: web.Request) -> web.Response:
    """Show the keys of a source."""
    return _page(parts, request)


@require(Role.EDITOR)
async def make(parts: Parts, request: web.Request) -> web.Response:
    """Make a key and show it, this once."""
    source = parts.source(request)
    given = await posted(request)
    try:
        secret = await add_key(
            parts.catalogue,
            source.id,
            label=given.get("label", "").strip(),
            origins=given.get("origins", "").split(),
        )
    except SourceError as error:
        return _page(parts, request, error=str(error), given=given)
    return _page(parts, request, secret=secret)


@require(Role.EDITOR)
async def rotate(parts: Parts, request: web.Request) -> web.Response:
    """Make a key's successor and show it; the old one ends after the overlap."""
    source = parts.source(request)
    given = await posted(request)
    try:
        hours = min(max(float(given.get("hours", "24")), 0), _LONGEST_OVERLAP_HOURS)
        overlap = timedelta(hours=hours)
        secret = await rotate_key(parts.catalogue, source.id, request.match_info["key"], overlap)
    except (SourceError, ValueError) as error:
        return _page(parts, request, error=str(error))
    return _page(parts, request, secret=secret)


@require(Role.EDITOR)
async def revoke(parts: Parts, request: web.Request) -> web.Response:
    """Refuse a key from now on."""
    source = parts.source(request)
    try:
        await revoke_key(parts.catalogue, source.id, request.match_info["key"])
    except SourceError as error:
        return _page(parts, request, error=str(error))
    return see_other(f"/sources/{source.id}/keys")


@require(Role.EDITOR)
async def rotate_signing(parts: Parts, request: web.Request) -> web.Response:
    """Sign mails, or the tracker's tokens, with a new key from now on."""
    source = parts.source(request)
    try:
        await rotate_signing_key(parts.catalogue, source.id)
    except SourceError as error:
        return _page(parts, request, error=str(error))
    return see_other(f"/sources/{source.id}/keys")


def _page(
    parts: Parts,
    request: web.Request,
    *,
    secret: str = "",
    error: str = "",
    given: dict[str, str] | None = None,
) -> web.Response:
    source = parts.source(request)
    return tab(
        source,
        request,
        "keys",
        status=422 if error else 200,
        secret=secret,
        error=error,
        given=given or {},
        now=datetime.now(UTC).isoformat(),
    )
