"""The last hits of webhook sources, and of rest sources what is kept or refused: best effort, bounded."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

import orjson
from multidict import CIMultiDict
from redis.exceptions import RedisError

from collector.model import Hit
from collector.store.people import tells_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collector.model import Source
    from collector.store import Redis
    from collector.store.names import Names
    from collector.store.people import Person

_KEPT = 200
_WAITING = 100  # bodies wait in memory: with the most bytes of each, 25 MB
_MOST_BYTES = 256 * 1024
_EVERY_SECONDS = 0.5
_SECONDS = 30 * 24 * 3600
_FIELDS = ("received_at", "query", "method", "url", "path")
# Not kept: what is the sender's alone, and the network address by which ever name a proxy passes it on.
_PRIVATE = {"cookie", "proxy-authorization"}
_ADDRESSES = {
    *(
        "cf-connecting-ip",
        "cf-connecting-ipv6",
        "cf-pseudo-ipv4",
        "client-ip",
        "fastly-client-ip",
        "forwarded",
    ),
    *("true-client-ip", "x-client-ip", "x-cluster-client-ip", "x-forwarded-for", "x-real-ip", "via"),
}


class DeliveryLog:
    """Remember deliveries with their verdict, and as they came where the source asks for it."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self._redis = redis
        self._names = names
        self._waiting: deque[tuple[str, dict[Any, Any], Hit | None]] = deque(maxlen=_WAITING)

    def add(self, source: str, fields: dict[str, str], hit: Hit | None) -> None:
        """Remember a delivery for the next write; ``hit`` is what came, None when it is not kept."""
        kept = hit if hit is not None and len(hit.body) <= _MOST_BYTES else None
        self._waiting.append((source, dict(fields), kept))

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits; when Redis is away it is dropped, since the events themselves are elsewhere."""
        if not self._waiting:
            return
        rows, self._waiting = self._waiting, deque(maxlen=_WAITING)
        with contextlib.suppress(RedisError, OSError):
            async with self._redis.pipeline(transaction=False) as pipe:
                for source, fields, hit in rows:
                    if hit is not None:
                        fields["raw"] = pack(hit)
                    pipe.xadd(self._names.deliveries(source), fields, maxlen=_KEPT, approximate=False)
                    pipe.expire(self._names.deliveries(source), _SECONDS)
                await pipe.execute()

    async def last(self, source: str, count: int = _KEPT) -> list[dict[str, Any]]:
        """Return the last deliveries, newest first. Raises redis.exceptions.RedisError."""
        rows: Any = await self._redis.xrevrange(self._names.deliveries(source), count=count)
        return [
            {"entry": entry.decode(), **{key.decode(): _text(key, value) for key, value in fields.items()}}
            for entry, fields in rows
        ]


async def held_deliveries(redis: Redis, names: Names, who: Person) -> AsyncIterator[tuple[str, str, Any]]:
    """Yield key, entry and content of every kept delivery that tells of a person, of all sources.

    A delivery may tell of others too. Raises redis.exceptions.RedisError, OSError.
    """
    texts = set(who.ids.values())
    async for key in redis.scan_iter(match=names.deliveries("*"), count=1000):
        rows: Any = await redis.xrange(key)
        for entry, fields in rows:
            raw = orjson.loads(fields.get(b"raw", b"null"))
            if raw and tells_of(base64.b64decode(raw["body"]), raw["query"], texts):
                yield key.decode(), entry.decode(), raw


def _text(key: bytes, value: bytes) -> Any:
    return orjson.loads(value) if key == b"raw" else value.decode()


def pack(hit: Hit) -> bytes:
    """Return a hit as JSON, from which it can be taken again."""
    headers = {
        str(name): value.encode(errors="surrogateescape").decode(errors="replace")
        for name, value in hit.headers.items()
        if name.lower() not in _PRIVATE | _ADDRESSES
    }
    kept = {name: getattr(hit, name) for name in _FIELDS}
    return orjson.dumps({**kept, "headers": headers, "body": base64.b64encode(hit.body).decode()})


def unpack(raw: dict[str, Any], source: Source) -> Hit:
    """Return the hit that was packed, for the source as it is now. Raises KeyError, ValueError."""
    fields = {name: raw[name] for name in _FIELDS}
    return Hit(
        source=source, headers=CIMultiDict(raw["headers"]), body=base64.b64decode(raw["body"]), **fields
    )
