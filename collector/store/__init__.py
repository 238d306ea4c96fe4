"""The way to Redis: connections, the embedded server, and the names of keys."""

from redis.asyncio import Redis
from redis.exceptions import RedisError

from collector.store.connect import StoreError, open_store
from collector.store.names import Names

__all__ = ["Names", "Redis", "RedisError", "StoreError", "open_store"]
