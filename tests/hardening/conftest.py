"""Tests say what they tried, and how much of it, for the table that ``tests.hardening.figures`` makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

Tried: TypeAlias = Callable[[str, int], None]


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Tried:
    """What a test calls with the name of a tool and the number of its cases."""

    def record(tool: str, cases: int) -> None:
        record_property("tool", tool)
        record_property("cases", cases)

    return record
