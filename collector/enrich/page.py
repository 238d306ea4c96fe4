"""The page as Segment's ``context.page`` has it, with nothing in it that must not be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.enrich import redact

if TYPE_CHECKING:
    from collector.model import Hit


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:
    """Tell page with its addresses and texts cleaned, path and search from its url, and what was redacted."""
    page = context.get("page")
    if not isinstance(page, dict):
        return {"page": None, "redacted": None}
    told = dict(page)
    found: tuple[str, ...] = ()
    for key, value in page.items():
        if isinstance(value, str) and value:
            told[key], kinds = redact.clean(value, hit.source.privacy.parameters)
            found += kinds
    told |= _split(told.get("url"))
    known = {key: value for key, value in told.items() if value is not None and value != ""}
    return {"page": known, "redacted": {kind: found.count(kind) for kind in found} or None}


def _split(url: Any) -> dict[str, str | None]:
    """Return path and search of a clean address; without one, no query is known to be clean."""
    if not isinstance(url, str):
        return {"search": None}
    path, _, query = url.partition("://")[2].partition("?")
    return {"path": "/" + path.partition("/")[2], "search": f"?{query}" if query else None}
