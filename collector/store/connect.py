"""Open a Redis client for the address in the settings, starting an embedded server when there is none."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from redis.asyncio import Redis, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from collector.model import PlainError
from collector.store.address import Address, AddressError, parse
from collector.store.cluster import Cluster
from collector.store.embedded import EmbeddedError, embedded_server
from collector.store.hearing import hear
from collector.store.packing import pack_fast

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collector.settings import Settings


class StoreError(PlainError):
    """Redis cannot be used; the message says why in one sentence."""


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Redis]:
    """Yield a client, for as long as the context lasts. A server started here stops with it.

    Raises StoreError. A Redis that does not answer is no reason: the client finds it when it is back.
    """
    if settings.redis_url:
        async with connect(settings.redis_url, settings.redis_timeout_seconds) as client:
            yield client
        return
    try:
        async with (
            embedded_server(settings.data) as url,
            connect(url, settings.redis_timeout_seconds) as client,
        ):
            yield client
    except EmbeddedError as error:
        raise StoreError(str(error)) from None


async def check(client: Redis) -> None:
    """Raise StoreError with one sentence when Redis does not answer."""
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        why = str(error).rstrip(".")
        raise StoreError(f"Redis does not answer: {why}. Check redis_url (HEADWATER_REDIS_URL).") from None


@asynccontextmanager
async def connect(url: str, timeout_seconds: float) -> AsyncIterator[Redis]:
    """Yield a client for a URL. Raises StoreError when the URL cannot be used."""
    try:
        address = parse(url)
    except AddressError as error:
        raise StoreError(f"redis_url (HEADWATER_REDIS_URL) cannot be used: {error}.") from None
    options = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": _once(),
        "client_name": "headwater",
        "protocol": 2,  # one shape of answers from every version of Redis and Valkey
        **address.login,
        **({"ssl": True, **address.tls} if address.tls else {}),
    }
    if address.kind == "sentinel":
        async with _sentinel(address, options) as client:
            yield client
        return
    client = _cluster(address, options) if address.kind == "cluster" else _server(address, options)
    if address.kind != "cluster":
        pack_fast(client.connection_pool)
        hear(client.connection_pool)
    try:
        yield client
    finally:
        await client.aclose()


def _once() -> Retry:
    # One try and no more: whoever called knows better what a failure means than a retry loop does.
    return Retry(NoBackoff(), 0)


def _server(address: Address, options: dict[str, Any]) -> Redis:
    if address.kind == "socket":
        return Redis(unix_socket_path=address.path, db=address.db, **options)
    host, port = address.hosts[0]
    return Redis(host=host, port=port, db=address.db, **options)


def _cluster(address: Address, options: dict[str, Any]) -> Redis:
    nodes = [ClusterNode(host, port) for host, port in address.hosts]
    # After MOVED it learns where that slot is; to ask for all slots it would close every connection.
    cluster = Cluster(startup_nodes=nodes, reinitialize_steps=0, **options)
    return cast("Redis", cluster)  # it has every command of one server


@asynccontextmanager
async def _sentinel(address: Address, options: dict[str, Any]) -> AsyncIterator[Redis]:
    # Sentinels are asked one after the other: one that hangs must leave time for the next.
    share = options["socket_timeout"] / (len(address.hosts) + 1)
    asked = {
        "socket_timeout": share,
        "socket_connect_timeout": share,
        "retry": _once(),
        "protocol": 2,
        **address.sentinel_login,
        **({"ssl": True, **address.tls} if address.tls else {}),
    }
    sentinels = Sentinel(address.hosts, sentinel_kwargs=asked)  # type: ignore[no-untyped-call]
    async with sentinels as sentinel:
        client = sentinel.master_for(address.master, db=address.db, **options)
        pack_fast(client.connection_pool)
        hear(client.connection_pool)
        try:
            yield client
        finally:
            await client.aclose()
