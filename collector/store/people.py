"""What the streams still hold of one person: found by reading them through, handed out, or removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from redis.asyncio import Redis

_AT_ONCE = 1000
_IDS = ("userId", "anonymousId", "previousId")


@dataclass(frozen=True, slots=True)
class Held:
    """An event of a person, and where it is."""

    stream: str
    entry: str
    event: dict[str, Any]


async def held(redis: Redis, streams: Sequence[str], ids: Collection[str]) -> AsyncIterator[Held]:
    """Yield every event in the streams (names of keys) that one of the ids stands in.

    Raises redis.exceptions.RedisError, OSError.
    """
    marks = [orjson.dumps(each) for each in ids]
    for stream in streams:
        last = "-"
        while rows := await _page(redis, stream, last):
            for entry, fields in rows:
                raw = fields.get(b"event", b"")
                # Nearly every event is someone else's: it is not parsed.
                if any(mark in raw for mark in marks) and _is_of(event := orjson.loads(raw), ids):
                    yield Held(stream, entry.decode(), event)
            last = f"({rows[-1][0].decode()}"


async def erase(redis: Redis, streams: Sequence[str], ids: Collection[str]) -> int:
    """Remove every event of the ids from the streams; return how many there were."""
    found = [each async for each in held(redis, streams, ids)]
    for each in found:
        await redis.xdel(each.stream, each.entry)
    return len(found)


async def bury(redis: Redis, streams: Sequence[str], tombstone: dict[str, Any]) -> None:
    """Append a tombstone to each stream, for consumers to remove what they have copied."""
    for stream in streams:
        if await redis.exists(stream):
            fields: dict[Any, Any] = {
                "source": tombstone["source"]["id"],
                "type": tombstone["type"],
                "event": orjson.dumps(tombstone),
            }
            await redis.xadd(stream, fields)


async def _page(redis: Redis, stream: str, start: str) -> list[Any]:
    rows: Any = await redis.xrange(stream, min=start, count=_AT_ONCE)
    return list(rows)


def _is_of(value: Any, ids: Collection[str]) -> bool:
    """Tell whether a visitor, user or previous id anywhere in an event is one of the ids."""
    if isinstance(value, dict):
        named = any(value.get(key) in ids for key in _IDS if isinstance(value.get(key), str))
        return named or any(_is_of(item, ids) for item in value.values())
    return isinstance(value, list) and any(_is_of(item, ids) for item in value)
