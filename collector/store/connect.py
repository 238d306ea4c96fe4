"""Open a Redis client for the address in the settings, starting an embedded server when there is none."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from collector.store.embedded import EmbeddedError, embedded_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collector.settings import Settings


class StoreError(Exception):
    """Redis cannot be used; the message says why in one sentence."""


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Redis]:
    """Yield a client, for as long as the context lasts. A server started here stops with it."""
    if settings.redis_url:
        async with _client(settings.redis_url, settings) as client:
            yield client
        return
    try:
        async with embedded_server(settings.data) as url, _client(url, settings) as client:
            yield client
    except EmbeddedError as error:
        raise StoreError(str(error)) from None


async def check(client: Redis) -> None:
    """Raise StoreError with one sentence when Redis does not answer."""
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        raise StoreError(f"Redis does not answer: {error}. Check redis_url (HEADWATER_REDIS_URL).") from None


def _client(url: str, settings: Settings) -> Redis:
    # One try and no more: whoever called knows better what a failure means than a retry loop does.
    return Redis.from_url(
        url,
        socket_timeout=settings.redis_timeout_seconds,
        socket_connect_timeout=settings.redis_timeout_seconds,
        retry=Retry(NoBackoff(), 0),
        client_name="headwater",
        protocol=2,  # one shape of answers from every version of Redis and Valkey
    )
