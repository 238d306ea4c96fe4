"""The campaign that brought the visitor: the utm_ parameters of the page's address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collector.model import Hit

# The five parameters of Google's URL builder, under the names of Segment's context.campaign.
_NAMES = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_term": "term",
    "utm_content": "content",
}
_MOST_PARAMETERS = 100


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:  # noqa: ARG001 - every step has the same shape
    """Tell campaign, when the page's address names one; else what the tracker remembered stays."""
    page = context.get("page")
    search = page.get("search") if isinstance(page, dict) else None
    if not isinstance(search, str) or "utm_" not in search:
        return {}
    try:
        pairs = parse_qsl(search.removeprefix("?"), max_num_fields=_MOST_PARAMETERS)
    except ValueError:  # more parameters than any campaign has
        return {}
    found = {_NAMES[key]: value for key, value in pairs if key in _NAMES}
    return {"campaign": found} if found else {}
