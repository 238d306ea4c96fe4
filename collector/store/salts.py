"""The salts of cookieless visitor ids: one a day, shared by all collectors, gone after two days.

A salt lives in a Redis key that expires and in the memory of the collectors. The append-only file remembers a
key until it is rewritten, so the collector that makes the day's salt asks for that.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError

from collector.store.cluster import on_every_node

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from collector.store.names import Names

log = structlog.get_logger()

_DAY = 86_400
_BYTES = 32
_DAYS_KEPT = 2
_EVERY_SECONDS = 20
SESSION_MS = 30 * 60 * 1000
_REWRITE_AFTER_SECONDS = 60  # by then the salt before yesterday's has expired everywhere


class Salts:
    """Today's and yesterday's salt, and who was here in the last half hour of a day."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self._redis = redis
        self._names = names
        # Until Redis has told the shared one: ids are right within this process, and nothing waits.
        self.current = secrets.token_bytes(_BYTES)
        self.previous = b""
        self.late: OrderedDict[str, int] = OrderedDict()
        self._day = 0
        self._rewrite_at = 0.0

    def near_midnight(self, now: int) -> bool:
        """Tell whether a session of this time, in milliseconds, may go on tomorrow."""
        return now % (_DAY * 1000) >= _DAY * 1000 - SESSION_MS

    async def refresh(self, now: float) -> None:
        """Take the salts of the day that ``now`` (seconds since 1970) lies in, if not done yet.

        While Redis is away the last salts serve on, until they are two days old.
        """
        day = int(now // _DAY)
        try:
            if day != self._day:
                await self._take(day, now)
            if self.late:
                await self._share_late(day, now)
            if self._rewrite_at and now >= self._rewrite_at:
                await self._rewrite()
        except (RedisError, OSError) as error:
            log.warning("salts_unavailable", error=str(error))
            if day - self._day >= _DAYS_KEPT:
                self.current, self.previous = secrets.token_bytes(_BYTES), b""

    async def run(self) -> None:
        """Follow the days until cancelled."""
        while True:
            now = time.time()
            await self.refresh(now)
            await asyncio.sleep(min(_EVERY_SECONDS, _DAY - now % _DAY))

    async def _take(self, day: int, now: float) -> None:
        key, end = self._names.salt(day), (day + _DAYS_KEPT) * _DAY
        fresh = secrets.token_bytes(_BYTES)
        made = await self._redis.set(key, fresh, nx=True, exat=end)
        current: Any = await self._redis.get(key)
        previous: Any = await self._redis.get(self._names.salt(day - 1))
        # Nothing comes back when our clock is two days behind the server's.
        self.current, self.previous, self._day = current or fresh, previous or b"", day
        self._rewrite_at = now + _REWRITE_AFTER_SECONDS if made else 0.0

    async def _share_late(self, day: int, now: float) -> None:
        """Forget whose session has ended, and tell the other collectors whose goes on over midnight."""
        while self.late and now * 1000 - next(iter(self.late.values())) > SESSION_MS:
            self.late.popitem(last=False)
        if self.near_midnight(int(now * 1000)):
            return
        key = self._names.late(day)
        if self.late:
            await self._redis.zadd(key, dict(self.late), gt=True)
            await self._redis.expire(key, 2 * SESSION_MS // 1000)
        rows: Any = await self._redis.zrange(key, 0, -1, withscores=True)
        self.late.update((visitor.decode(), int(seen)) for visitor, seen in rows)

    async def _rewrite(self) -> None:
        """Have the append-only file written anew: it still holds the salt of the day before yesterday."""
        self._rewrite_at = 0.0
        nodes = await on_every_node(self._redis, "INFO", "persistence", replicas=True)
        if any(node.get("aof_enabled") for node in nodes.values()):
            await on_every_node(self._redis, "BGREWRITEAOF", replicas=True)
