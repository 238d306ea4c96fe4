"""Lists of plain facts; each names its source and date. tools/refresh_lists.py writes them anew."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson


@cache
def facts(name: str) -> dict[str, Any]:
    """Return a list by its name."""
    data: dict[str, Any] = orjson.loads((Path(__file__).parent / f"{name}.json").read_bytes())
    return data
