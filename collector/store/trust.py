"""How a Redis keeps what it is told, and whom it trusts: asked for before production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.exceptions import NoPermissionError, RedisError

from collector.store.connect import StoreError, check, connect

if TYPE_CHECKING:
    from collector.store import Redis


async def syncing(redis: Redis) -> str:
    """Return when the append-only file is synced; empty when Redis does not tell."""
    try:
        told: Any = await redis.config_get("appendfsync")
    except RedisError:
        return ""
    return str(told.get("appendfsync", ""))


async def user_of(redis: Redis) -> str:
    """Return the user that the client signs in as; empty for one that may not ask: it is a limited one."""
    try:
        answer: Any = await redis.acl_whoami()
    except NoPermissionError:
        return ""
    return answer.decode() if isinstance(answer, bytes) else str(answer)


async def takes_anybody(url: str, timeout_seconds: float) -> bool:
    """Tell whether the Redis at a URL answers somebody without the URL's user and password."""
    scheme, _, rest = url.partition("://")
    place, mark, options = rest.partition("?")
    nobody = f"{scheme}://{place.rpartition('@')[2]}{mark}{options}"
    try:
        async with connect(nobody, timeout_seconds) as stranger:
            await check(stranger)
    except StoreError:
        return False
    return True
