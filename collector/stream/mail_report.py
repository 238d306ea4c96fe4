"""Read what the streams still hold of one message, and count it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from collector.mails.report import Report, report

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collector.model import Source
    from collector.store import Names, Redis

_AT_ONCE = 1000


async def report_of(redis: Redis, names: Names, source: Source, message: str, *, partitions: int) -> Report:
    """Return the counts of a message of an email source, from all streams that its events can go to.

    It reads them through. Raises redis.exceptions.RedisError, OSError.
    """
    keys = [names.stream(number, stream) for stream in {*source.streams} for number in range(partitions)]
    events = [event for key in keys async for event in _events(redis, key, source.id, message)]
    return report(events)


async def _events(redis: Redis, key: str, source: str, message: str) -> AsyncIterator[dict[str, Any]]:
    last, wanted, mark = "-", source.encode(), orjson.dumps(message)
    while True:
        rows: Any = await redis.xrange(key, min=last, count=_AT_ONCE)
        if not rows:
            return
        for _, fields in rows:
            # Nearly every event is another message's: it is not parsed.
            if fields[b"source"] == wanted and mark in fields[b"event"]:
                event = orjson.loads(fields[b"event"])
                if event.get("properties", {}).get("email_id") == message:
                    yield event
        last = f"({rows[-1][0].decode()}"
