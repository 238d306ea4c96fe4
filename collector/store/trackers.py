"""Trackers of the past, by digest: a page that a cache kept may ask for them long after a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from collector.store.names import Names

_SECONDS = 400 * 24 * 3600  # a little longer than caches may keep the immutable path


class TrackerArchive:
    """Remember rendered trackers for as long as caches may refer to them."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self._redis = redis
        self._names = names

    async def remember(self, source: str, digest: str, body: bytes) -> None:
        """Keep the bytes of a digest. Raises redis.exceptions.RedisError, OSError."""
        key = self._names.trackers(source)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hsetnx(key, digest, body)
            pipe.expire(key, _SECONDS)
            await pipe.execute()

    async def recall(self, source: str, digest: str) -> bytes | None:
        """Return the bytes of a digest, None when they are not remembered."""
        found = await self._redis.hget(self._names.trackers(source), digest)
        return found if isinstance(found, bytes) else None

    async def digests(self, source: str) -> list[str]:
        """Return the digests that are remembered. Raises redis.exceptions.RedisError, OSError."""
        found: Any = await self._redis.hkeys(self._names.trackers(source))
        return sorted(digest.decode() for digest in found)
