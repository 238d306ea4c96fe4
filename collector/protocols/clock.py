"""Times on the wire: ISO 8601 or milliseconds in, ISO 8601 out, corrected for a wrong client clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.recall import remembered

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_LONGEST = 40  # of a time; longer texts are not remembered
_MIN_MS = 0
_MAX_MS = 253_402_300_799_999  # the end of the year 9999, the last that ISO 8601 writes with four digits


def to_ms(value: Any) -> int | None:
    """Return a time as milliseconds since 1970, or None when it is none. A text without a zone is UTC."""
    if isinstance(value, str):
        return _text_to_ms(value) if len(value) <= _LONGEST else _read(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value) if _MIN_MS <= value <= _MAX_MS else None
    return None


def _read(text: str) -> int | None:
    try:
        parsed = datetime.fromisoformat(text)
        ms = ((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None
    return ms if _MIN_MS <= ms <= _MAX_MS else None


# A batch names the same moment often: when it was sent, when it happened.
_text_to_ms = remembered(4096)(_read)


def seconds_to_ms(value: Any) -> int | None:
    """Return seconds since 1970, or a text of them, as milliseconds; None when it is neither."""
    if isinstance(value, str):
        value = float(value) if _SECONDS.fullmatch(value) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return to_ms(value * 1000)
    return None


@remembered(4096)  # of much that arrives at once: what arrived, was sent or happened in the same millisecond
def to_iso(ms: int) -> str:
    """Return milliseconds since 1970 as ISO 8601 in UTC, such as 2026-01-31T12:00:00.000Z."""
    seconds, rest = divmod(ms, 1000)
    return f"{_second(seconds)}.{rest:03}Z"


@remembered(4096)  # what arrives happened in the last few minutes
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]


def corrected(received: int, sent: int | None, original: int | None) -> int:
    """Return when it happened by our clock: received - (sent - original), as in the Segment specification.

    Without both client times there is no correction: the client's time counts unless it is in the future.
    The result may lie after ``received``: clients round ``sent`` down.
    """
    if original is None:
        return received
    if sent is None:
        return min(original, received)
    ms = received - (sent - original)
    return ms if _MIN_MS <= ms <= _MAX_MS else min(max(ms, _MIN_MS), _MAX_MS)
