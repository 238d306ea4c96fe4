"""The way to Redis: connections, the embedded server, and the names of keys."""

from redis.asyncio import Redis

from collector.store.connect import StoreError, open_store
from collector.store.names import Names

__all__ = ["Names", "Redis", "StoreError", "open_store"]
