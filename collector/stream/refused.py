"""The capped stream of refusals that the console shows: best effort, never in the way of events."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collector.store import Names, Redis

_KEPT = 10_000
_WAITING = 500  # per second; a flood of bad hits costs no more than this
_EVERY_SECONDS = 1


class RefusedLog:
    """Write refusals to their stream once a second; the counts are the metrics' business."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self._redis = redis
        self._key = names.refused
        self._waiting: deque[dict[Any, Any]] = deque(maxlen=_WAITING)

    def add(self, fields: dict[Any, Any]) -> None:
        """Remember a refusal for the next write; under a flood the oldest are left out."""
        self._waiting.append(fields)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits; when Redis is away it is dropped, since the metrics have counted it."""
        if not self._waiting:
            return
        rows, self._waiting = self._waiting, deque(maxlen=_WAITING)
        with contextlib.suppress(RedisError, OSError):
            async with self._redis.pipeline(transaction=False) as pipe:
                for fields in rows:
                    pipe.xadd(self._key, fields, maxlen=_KEPT, approximate=True)
                await pipe.execute()
