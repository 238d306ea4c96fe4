"""What finding a person costs: reading a stream through, and by the index; what the index costs.

    python -m benchmarks.people [ENTRIES]

One partition of typical web events, ten a visitor, mixed as a thousand visitors at a time would.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from collector.store import Names, Redis
from collector.store.embedded import embedded_server
from collector.store.people import Person
from collector.store.people_index import PeopleIndex
from collector.store.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_AT_ONCE = 1000
_EACH = 10
_EVENT: dict[str, Any] = {
    "messageId": "0193586d-0000-7000-8000-000000000000",
    "type": "track",
    "event": "Product Viewed",
    "source": {"id": "web1", "bridge": "web", "channel": "Web"},
    "properties": {"sku": "red-shoes-42", "price": 59.9, "currency": "CHF", "list": "spring"},
    "context": {
        "page": {"url": "https://shop.example/shoes/red", "path": "/shoes/red", "title": "Red shoes"},
        "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/142.0.0.0 Safari/537.36",
        "browser": {"name": "Chrome", "version": "142.0.0.0"},
        "os": {"name": "Windows", "version": "10"},
        "device": {"type": "pc"},
        "referrer": {"medium": "search", "source": "Google"},
        "channelGroup": "Organic Search",
        "location": {"country": "CH", "by": "timezone"},
        "locale": "de-CH",
        "timezone": "Europe/Zurich",
    },
    "timestamp": "2026-11-23T10:00:00.000Z",
    "receivedAt": "2026-11-23T10:00:00.000Z",
    "collector": {"version": "0.1.0", "protocol": "native"},
}


async def main(entries: int) -> None:
    """Print the table."""
    names = Names()
    stream = names.stream(0)
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_server(Path(folder)) as url, Redis.from_url(url, protocol=2) as redis:
            await _fill(redis, stream, entries)
            events = await _memory(redis)
            who = Person(visitor=f"visitor-{entries // 2 // _EACH}")
            through = await _seconds(lambda: _find(redis, stream, who))
            index = PeopleIndex(redis, names, from_entries=1)
            cpu = time.process_time()
            await index.follow()
            cpu = time.process_time() - cpu
            indexed = await _seconds(lambda: _find(redis, stream, who))
            held = await _memory(redis) - events
    print(f"entries                      {entries:>12,}")
    print(f"bytes an event in the stream {events / entries:>12.1f}")
    print(f"read through, seconds        {through:>12.2f}  ({entries / through:,.0f} entries a second)")
    print(f"by the index, seconds        {indexed:>12.3f}")
    print(f"index, bytes an event        {held / entries:>12.2f}")
    print(f"index, µs of CPU an event    {cpu / entries * 1e6:>12.2f}")


async def _fill(redis: Redis, stream: str, entries: int) -> None:
    for start in range(0, entries, _AT_ONCE):
        async with redis.pipeline(transaction=False) as pipe:
            for number in range(start, start + _AT_ONCE):
                visitor = number // (_AT_ONCE * _EACH) * _AT_ONCE + number % _AT_ONCE
                event = _EVENT | {"anonymousId": f"visitor-{visitor}"}
                pipe.xadd(stream, {"source": "web1", "type": "track", "event": orjson.dumps(event)})
            await pipe.execute()


async def _find(redis: Redis, stream: str, who: Person) -> None:
    found = [held async for held in timeline(redis, [stream], who.digests)]
    if len(found) != _EACH:
        raise SystemExit(f"{len(found)} events were found instead of {_EACH}.")


async def _seconds(work: Callable[[], Awaitable[None]]) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


async def _memory(redis: Redis) -> int:
    told: Any = await redis.info("memory")
    return int(told["used_memory"])


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))
