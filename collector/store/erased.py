"""Who was forgotten, as digests and for a year: events of theirs that wait in a spool are not stored."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from collector.store.people import digests_in

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from redis.asyncio import Redis

    from collector.store.names import Names

_SECONDS = 365 * 24 * 3600


async def remember_erased(redis: Redis, names: Names, digests: Collection[int]) -> None:
    """Remember that people were forgotten now. Raises redis.exceptions.RedisError, OSError."""
    now = time.time()
    await redis.zremrangebyscore(names.erased, 0, now - _SECONDS)
    await redis.zadd(names.erased, dict.fromkeys(map(str, digests), now))


async def erased_people(redis: Redis, names: Names) -> dict[int, float]:
    """Return who was forgotten and when, in seconds since 1970. Raises RedisError, OSError."""
    rows: Any = await redis.zrange(names.erased, 0, -1, withscores=True)
    return {int(digest): at for digest, at in rows}


def was_erased(event: bytes, at: float, erased: Mapping[int, float]) -> bool:
    """Tell whether someone in an event that was taken at a time, in seconds, was forgotten after that."""
    return bool(erased) and any(erased.get(digest, 0) >= at for digest in digests_in(event))
