"""Times: what is taken, and the correction for a wrong client clock."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.protocols.clock import corrected, to_iso, to_ms

TIMES = [
    (1767323045000, 1767323045000),
    (1767323045000.7, 1767323045000),
    ("2026-01-02T03:04:05Z", 1767323045000),
    ("2026-01-02T03:04:05.123Z", 1767323045123),
    ("2026-01-02T04:04:05+01:00", 1767323045000),
    ("2026-01-02T03:04:05", 1767323045000),
    ("2026-01-02", 1767312000000),
    ("yesterday", None),
    ("", None),
    (None, None),
    (True, None),
    (-1, None),
    (float("nan"), None),
    (float("inf"), None),
    (10**30, None),
    ("9999-12-31T23:59:59-12:00", None),
    ({}, None),
]


@pytest.mark.parametrize(("value", "expected"), TIMES)
def test_iso_texts_and_milliseconds_are_times_and_nothing_else_is(value: Any, expected: int | None) -> None:
    assert expected == to_ms(value)


CORRECTIONS = [
    ("a right clock", 1000, 990, 900, 910),
    ("an hour ahead", 1000, 3_600_990, 3_600_900, 910),
    ("a day behind", 100_000_000, 13_600_000, 13_599_900, 99_999_900),
    ("sent rounded down, so before it happened", 1000, 900, 990, 1090),
    ("no client time", 1000, None, None, 1000),
    ("no time of sending", 1000, None, 900, 900),
    ("no time of sending, in the future", 1000, None, 5000, 1000),
    ("no original time", 1000, 990, None, 1000),
]


@pytest.mark.parametrize(("rule", "received", "sent", "original", "expected"), CORRECTIONS)
def test_correction(rule: str, received: int, sent: int | None, original: int | None, expected: int) -> None:
    assert expected == corrected(received, sent, original), rule


@given(st.integers(0, 253_402_300_799_999))
def test_a_time_survives_being_written(ms: int) -> None:
    assert ms == to_ms(to_iso(ms))
