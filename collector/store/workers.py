"""The roll of the collectors that run: each answers every second, with the last change it knows."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import time
from typing import TYPE_CHECKING, Any

import orjson
from redis.exceptions import RedisError

from collector import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.store import Redis
    from collector.store.names import Names

_EVERY_SECONDS = 1
_LOOK_SECONDS = 0.05
_GONE_MS = 5000


class Roll:
    """Say that this process runs, and tell which others do; ``seen`` is the last change that it has taken.

    ``forwarded`` tells how many hits came by a proxy that is not trusted, as far as they say so.
    """

    def __init__(
        self, redis: Redis, names: Names, seen: Callable[[], str], forwarded: Callable[[], float] = float
    ) -> None:
        self._redis = redis
        self._names = names
        self._seen = seen
        self._forwarded = forwarded
        self._id = secrets.token_hex(4)
        self._started = time.time()

    async def run(self) -> None:
        """Answer until cancelled: every second, and at once when a change was taken."""
        said, last = "", 0.0
        await self._sweep()
        while True:
            if self._seen() != said or time.monotonic() - last >= _EVERY_SECONDS:
                said, last = self._seen(), time.monotonic()
                with contextlib.suppress(RedisError, OSError):
                    await self._answer(said)
            await asyncio.sleep(_LOOK_SECONDS)

    async def call(self) -> list[dict[str, Any]]:
        """Return who runs, the longest first. Raises redis.exceptions.RedisError, OSError."""
        rows: Any = await self._redis.hgetall(self._names.workers)
        now = time.time_ns() // 1_000_000
        workers = [orjson.loads(row) for row in rows.values()]
        return sorted((row for row in workers if now - row["at"] < _GONE_MS), key=lambda row: row["started"])

    async def taken(self, change: str, patience: float = 1.0) -> tuple[int, int]:
        """Wait until all have taken a change; return how many have, and how many there are."""
        end = time.monotonic() + patience
        while True:
            workers = await self.call()
            have = sum(_order(row["seen"]) >= _order(change) for row in workers)
            if have == len(workers) or time.monotonic() > end:
                return have, len(workers)
            await asyncio.sleep(_LOOK_SECONDS)

    async def leave(self) -> None:
        """Take this process off the roll."""
        with contextlib.suppress(RedisError, OSError):
            await self._redis.hdel(self._names.workers, self._id)

    async def _sweep(self) -> None:
        """Take those off the roll that ended without a word."""
        long_ago = time.time_ns() // 1_000_000 - 60_000
        with contextlib.suppress(RedisError, OSError):
            rows: Any = await self._redis.hgetall(self._names.workers)
            if gone := [name for name, row in rows.items() if orjson.loads(row)["at"] < long_ago]:
                await self._redis.hdel(self._names.workers, *gone)

    async def _answer(self, seen: str) -> None:
        row = {
            "id": self._id,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": __version__,
            "started": self._started,
            "seen": seen,
            "forwarded": self._forwarded(),
            "at": time.time_ns() // 1_000_000,
        }
        await self._redis.hset(self._names.workers, self._id, orjson.dumps(row).decode())


def _order(entry: str) -> tuple[int, int]:
    ms, _, number = entry.partition("-")
    return int(ms), int(number or 0)
