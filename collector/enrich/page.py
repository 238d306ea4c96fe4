"""The page as Segment's ``context.page`` has it, with nothing in it that must not be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.enrich import redact
from collector.recall import remembered

if TYPE_CHECKING:
    from collector.model import Hit

_LONGEST = 2048  # longer pages are not remembered: strangers must not fill the memory


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:
    """Tell page with its addresses and texts cleaned, path and search from its url, and what was redacted."""
    page = context.get("page")
    if not isinstance(page, dict):
        return {"page": None, "redacted": None}
    parameters = hit.source.privacy.parameters
    values = page.values()
    if all(type(value) is str for value in values) and sum(map(len, values)) <= _LONGEST:
        return _remembered(tuple(page.items()), parameters)
    return _cleaned(page, parameters)


@remembered(4096)
def _remembered(page: tuple[tuple[str, str], ...], parameters: tuple[str, ...]) -> dict[str, Any]:
    """Return the step's answer for a page of short texts. It is shared: never change it."""
    return _cleaned(dict(page), parameters)


def _cleaned(page: dict[str, Any], parameters: tuple[str, ...]) -> dict[str, Any]:
    told = dict(page)
    found: tuple[str, ...] = ()
    for key, value in page.items():
        if isinstance(value, str) and value:
            told[key], kinds = redact.clean(value, parameters)
            # What another site has in its addresses is no leak of this one.
            found += kinds if key == "url" else tuple(kind for kind in kinds if kind != redact.PARAMETER)
    told |= _split(told.get("url"))
    known = {key: value for key, value in told.items() if value is not None and value != ""}
    return {"page": known, "redacted": {kind: found.count(kind) for kind in found} or None}


def _split(url: Any) -> dict[str, str | None]:
    """Return path and search of a clean address; without one, no query is known to be clean."""
    if not isinstance(url, str):
        return {"search": None}
    path, _, query = url.partition("://")[2].partition("?")
    return {"path": "/" + path.partition("/")[2], "search": f"?{query}" if query else None}
