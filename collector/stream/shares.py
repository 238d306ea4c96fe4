"""What each source has of the spool, so that a loud one leaves room for the others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collector.stream.spool import Spool


class Shares:
    """Count what sources have spooled since the spool was last empty; ``most`` is a share of 1.

    It is drained in the order of arrival, so what is left in it is taken to be shared out as what came.
    """

    def __init__(self, spool: Spool, *, most: float, spool_bytes: int) -> None:
        self._spool = spool
        self._most_bytes = most * spool_bytes
        self._spooled: Counter[str] = Counter()
        self._total = 0

    def note(self, source: str, size: int) -> None:
        """Count bytes that a source has spooled."""
        self._spooled[source] += size
        self._total += size

    def full(self, source: str) -> bool:
        """Tell whether a source has had its share."""
        if not self._spool.bytes:
            self._spooled.clear()
            self._total = 0
        return self._spooled[source] * self._spool.bytes > self._most_bytes * self._total
