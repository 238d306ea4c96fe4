"""How far the latest archives were imported: one hash a source, by what an archive begins with."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from collector.store.names import Names

_AT = "at"  # when a position was kept, in nanoseconds since 1970
_MOST = 10_000  # archives of a source: three megabytes


@dataclass(slots=True)
class Position:
    """All up to unit ``number`` is safe. ``head`` is how many bytes of the beginning its digest covers.

    ``last`` tells that unit's content: it may have been the beginning of a line only. ``counts`` are what
    became of all of them, ``reasons`` why events were refused: how often, where first, and what was said.
    """

    head: int
    number: int = 0
    last: str = ""
    done: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, tuple[int, int, str]] = field(default_factory=dict)

    def count(self, verdict: str) -> None:
        """Count what became of an event."""
        self.counts[verdict] = self.counts.get(verdict, 0) + 1

    def count_reason(self, reason: str, number: int, said: str) -> None:
        """Count why it was refused; of the first one remember where and how."""
        times, first, words = self.reasons.get(reason, (0, number, said))
        self.reasons[reason] = times + 1, first, words


class Positions:
    """The positions of a source. Every method raises redis.exceptions.RedisError, OSError."""

    def __init__(self, redis: Redis, names: Names, source: str) -> None:
        self._redis = redis
        self._key = names.imports(source)

    async def find(self, head: bytes, digest: Callable[[bytes], str]) -> Position | None:
        """Return how far the archive was imported that begins so; it may have grown since."""
        rows: Any = await self._redis.hgetall(self._key)
        for name, raw in rows.items():
            position = _position(raw)
            if position.head <= len(head) and name.decode() == digest(head[: position.head]):
                return position
        return None

    async def keep(self, digest: str, position: Position, *, instead_of: str = "") -> None:
        """Remember how far an archive was imported, and forget what was known of it when it was shorter.

        Of too many archives those are forgotten that were imported longest ago.
        """
        await self._redis.hset(self._key, digest, orjson.dumps({**asdict(position), _AT: time.time_ns()}))
        if instead_of not in {"", digest}:
            await self._redis.hdel(self._key, instead_of)
        if await self._redis.hlen(self._key) > _MOST:
            rows: Any = await self._redis.hgetall(self._key)
            oldest = sorted(rows, key=lambda name: orjson.loads(rows[name]).get(_AT, 0))
            await self._redis.hdel(self._key, *oldest[:-_MOST])


def _position(raw: bytes) -> Position:
    row = orjson.loads(raw)
    row.pop(_AT, None)
    return Position(**row)
