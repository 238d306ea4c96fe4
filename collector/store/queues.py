"""How the readers of brokers are, and whose turn it is: each process says it, and whoever asks is told."""

from __future__ import annotations

import contextlib
import secrets
import time
from typing import TYPE_CHECKING, Any

import orjson
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collector.store import Redis
    from collector.store.names import Names

_GONE_SECONDS = 5
_FORGOTTEN_SECONDS = 60
_TURN_MS = 3000
_SESSION_SECONDS = 7 * 24 * 3600  # as long as brokers keep what was not acknowledged


class QueueStates:
    """What this process says of its readers."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self._redis = redis
        self._names = names
        self._id = secrets.token_hex(4)

    async def say(self, rows: Sequence[dict[str, Any]]) -> None:
        """Say how the readers are; while Redis is away nobody is told."""
        with contextlib.suppress(RedisError, OSError):
            told = orjson.dumps({"at": time.time(), "rows": list(rows)}).decode()
            await self._redis.hset(self._names.queues, self._id, told)
            await self._redis.expire(self._names.queues, _FORGOTTEN_SECONDS)

    async def turn(self, source: str, *, mine: bool) -> bool:
        """Take the turn to read a source alone, or keep it; it ends when its worker is gone for a while.

        While Redis is away it stays as it was, ``mine`` or not.
        """
        key = self._names.queue_turn(source)
        try:
            if await self._redis.set(key, self._id, nx=True, px=_TURN_MS):
                return True
            if await self._redis.get(key) != self._id.encode():
                return False
            await self._redis.pexpire(key, _TURN_MS)
        except (RedisError, OSError):
            return mine
        return True

    async def pass_turn(self, source: str) -> None:
        """Let others read a source that this worker has read alone."""
        with contextlib.suppress(RedisError, OSError):
            if await self._redis.get(self._names.queue_turn(source)) == self._id.encode():
                await self._redis.delete(self._names.queue_turn(source))

    async def given(self, source: str, slots: Sequence[str]) -> dict[str, str]:
        """Return the ids given to messages that are not acknowledged. Raises RedisError, OSError."""
        if not slots:
            return {}
        found: Any = await self._redis.hmget(self._names.queue_ids(source), list(slots))
        return {slot: value.decode() for slot, value in zip(slots, found, strict=True) if value}

    async def give(self, source: str, ids: Mapping[str, str]) -> None:
        """Remember ids given to messages. Raises RedisError, OSError."""
        if ids:
            key = self._names.queue_ids(source)
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hset(key, items=[part for pair in ids.items() for part in pair])
                pipe.expire(key, _SESSION_SECONDS)
                await pipe.execute()

    async def slots(self, source: str) -> list[str]:
        """Return which messages have been given ids. Raises RedisError, OSError."""
        found: Any = await self._redis.hkeys(self._names.queue_ids(source))
        return [slot.decode() for slot in found]

    async def take_back(self, source: str, slots: Sequence[str]) -> None:
        """Forget ids given to messages. Raises RedisError, OSError."""
        if slots:
            await self._redis.hdel(self._names.queue_ids(source), *slots)

    async def take_back_all(self, source: str) -> None:
        """Forget all ids given to messages. Raises RedisError, OSError."""
        await self._redis.delete(self._names.queue_ids(source))

    async def leave(self) -> None:
        """Say nothing more."""
        with contextlib.suppress(RedisError, OSError):
            await self._redis.hdel(self._names.queues, self._id)


async def queue_states(redis: Redis, names: Names) -> list[dict[str, Any]]:
    """Return how the readers of all processes are. Raises redis.exceptions.RedisError, OSError."""
    said: Any = await redis.hgetall(names.queues)
    told = [orjson.loads(each) for each in said.values()]
    return [row for each in told if time.time() - each["at"] < _GONE_SECONDS for row in each["rows"]]
