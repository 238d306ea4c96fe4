"""The client's language: what the tracker says, else the first of Accept-Language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collector.model import Hit

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:
    """Tell locale, as a language tag such as de-CH."""
    said = context.get("locale")
    if isinstance(said, str) and said:
        return {}
    match = _TAG.match(hit.headers.get("Accept-Language", "").lstrip())
    return {"locale": match[0] if match else None}
