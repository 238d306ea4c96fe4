"""The page's address, split as Segment's ``context.page`` has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collector.model import Hit

_LONGEST = 4096


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:  # noqa: ARG001 - every step has the same shape
    """Tell page: url without its fragment, path and search beside what the tracker sent."""
    page = context.get("page")
    if not isinstance(page, dict):
        return {"page": None}
    url = page.get("url")
    if not isinstance(url, str):
        return {}
    try:
        parts = urlsplit(url[:_LONGEST])
    except ValueError:  # such as http://[::1
        return {}
    split = {"path": parts.path or "/", "search": f"?{parts.query}" if parts.query else None}
    known = {key: value for key, value in split.items() if value is not None}
    return {"page": {**page, "url": parts._replace(fragment="").geturl(), **known}}
