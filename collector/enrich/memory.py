"""What was told of a sender's context a moment ago: who comes again with the same one costs a look-up.

It knows of no step. The same head, address, source and context give the same answer for a minute; what
depends on other things by the second, such as a signed token in the page's address, is not remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from collector.exchange import SharedHeaders
from collector.links import JOURNEY
from collector.model import SharedContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.model import Hit, Source

_MOST = 4096
_LONGEST = 4096  # bytes of a context; of longer ones there are few
_TOKEN = JOURNEY.encode()
_MINUTE_MS = 60_000


class Memory:
    """The contexts of this minute. A full memory begins anew."""

    def __init__(self) -> None:
        self._minute = 0
        self._told: dict[tuple[Any, ...], tuple[Source, SharedContext]] = {}

    def recall(
        self, context: dict[str, Any], hit: Hit, enrich: Callable[[dict[str, Any], Hit], dict[str, Any]]
    ) -> dict[str, Any]:
        """Return what ``enrich`` told of the same, else what it tells now."""
        written = _written(context) if type(hit.headers) is SharedHeaders else b""
        if not written or len(written) > _LONGEST or _TOKEN in written:
            return enrich(context, hit)
        self._begin(hit.received_at // _MINUTE_MS)
        key = (hit.headers, hit.source.id, hit.address, hit.proxied, written)
        known = self._told.get(key)
        if known is None or known[0] is not hit.source:
            told = enrich(context, hit)
            known = self._told[key] = (hit.source, SharedContext(told, orjson.dumps(told)))
        return known[1]

    def forget(self) -> None:
        """Forget all of it, also when nobody comes any more."""
        self._told.clear()

    def _begin(self, minute: int) -> None:
        if minute != self._minute or len(self._told) >= _MOST:
            self._minute = minute
            self.forget()


def _written(context: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(context)
    except TypeError:  # an integer too long for orjson
        return b""
