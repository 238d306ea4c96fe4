"""What a reader makes of a unit of an archive: how it is understood, and what its request once told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from collector.model import Hit
from collector.protocols.clock import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from collector.model import Source
    from collector.protocols import Protocol

_DIGITS = re.compile(r"[0-9]{1,16}(\.[0-9]{1,9})?")
_MICROSECONDS = 1e14  # more is no number of milliseconds of our time, and more than the next none of seconds
_MILLISECONDS = 1e11


@dataclass(slots=True)
class Item:
    """A unit of an archive. ``at`` is when it was received there, in milliseconds; None when nobody knows."""

    protocol: Protocol
    at: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None

    def hit(self, source: Source, now: int, identity: str) -> Hit:
        """Return the hit that it once was; ``identity`` is what its events' ids are made from."""
        return Hit(
            source,
            min(self.at, now) if self.at is not None else now,
            headers=self.headers,
            address=self.address,
            id=identity,
            archived=True,
        )


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of archive. ``cut`` names how it is cut into units: lines, values (of JSON) or rows (of CSV).

    ``read`` returns what a unit holds, None for one that is none of events. It is given the address of the
    site, for archives that name only paths. Raises Refusal.
    """

    about: str
    cut: str
    read: Callable[[Any, str], Item | None]


def moment(value: Any) -> int | None:
    """Return a time as milliseconds since 1970: ISO 8601, or a number of seconds, milli- or microseconds."""
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            return to_ms(value)
        value = float(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if value > _MICROSECONDS:
        return to_ms(value / 1000)
    return to_ms(value if value > _MILLISECONDS else value * 1000)
