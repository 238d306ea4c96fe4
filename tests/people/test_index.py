"""A long stream has an index of people; with it a person's timeline is the same and less is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from redis.exceptions import WatchError

from collector.store import Names, Redis
from collector.store.people import Person
from collector.store.people_index import PeopleIndex, ranges
from collector.store.timeline import timeline

if TYPE_CHECKING:
    from collector.settings import Settings

_EVENTS = 6000
_OFTEN = ["5000", "4000", "3000", "2000", "1000", "0"]


@pytest.fixture
def names(settings: Settings) -> Names:
    return Names(settings.namespace)


async def _append(redis: Redis, stream: str, numbers: range, each: int = 3) -> None:
    """Append events of as many visitors as a third of them, and one frequent user."""
    async with redis.pipeline(transaction=False) as pipe:
        for number in numbers:
            event: dict[str, Any] = {
                "type": "track",
                "event": str(number),
                "anonymousId": f"v{number // each}",
            }
            if number % 1000 == 0:
                event["userId"] = "often"
            pipe.xadd(stream, {"source": "s", "type": "track", "event": orjson.dumps(event)})
        await pipe.execute()


async def _found(redis: Redis, stream: str, who: Person, **more: Any) -> list[str]:
    return [held.event["event"] async for held in timeline(redis, [stream], who.digests, **more)]


async def _read(redis: Redis, stream: str, who: Person) -> int:
    """Return how many entries are read to find someone."""
    told = [0]
    await _found(redis, stream, who, progress=lambda done, _: told.append(done))
    return told[-1]


async def test_the_index_changes_what_is_read_and_not_what_is_found(redis: Redis, names: Names) -> None:
    stream = names.stream(0)
    await _append(redis, stream, range(_EVENTS))
    people = [Person(visitor="v7"), Person(visitor="v999"), Person(user="often"), Person(user="nobody")]
    through = [await _found(redis, stream, who) for who in people]
    assert await _read(redis, stream, people[0]) == _EVENTS

    await PeopleIndex(redis, names, from_entries=1).follow()

    assert [await _found(redis, stream, who) for who in people] == through
    assert through == [["23", "22", "21"], ["2999", "2998", "2997"], _OFTEN, []]
    assert await _read(redis, stream, people[0]) < _EVENTS
    assert await _read(redis, stream, people[3]) < 512 * 3


async def test_what_came_after_the_index_is_found(redis: Redis, names: Names) -> None:
    stream = names.stream(0)
    await _append(redis, stream, range(_EVENTS))
    index = PeopleIndex(redis, names, from_entries=1)
    await index.follow()
    await _append(redis, stream, range(_EVENTS, 2 * _EVENTS), each=1)
    tail = await _found(redis, stream, Person(user="often"))

    await index.follow()

    assert tail == [*(str(number) for number in range(11000, 5000, -1000)), *_OFTEN]
    assert await _found(redis, stream, Person(user="often")) == tail


async def test_a_timeline_goes_on_within_a_block(redis: Redis, names: Names) -> None:
    stream = names.stream(0)
    await _append(redis, stream, range(_EVENTS))
    await PeopleIndex(redis, names, from_entries=1).follow()
    who = Person(visitor="v7")
    newest = await anext(timeline(redis, [stream], who.digests))

    assert await _found(redis, stream, who, before=newest.cursor) == ["22", "21"]


async def test_the_index_leaves_with_the_entries(redis: Redis, names: Names) -> None:
    stream = names.stream(0)
    await _append(redis, stream, range(_EVENTS))
    index = PeopleIndex(redis, names, from_entries=1)
    await index.follow()
    assert len(await redis.keys(f"{stream}:people:*")) == 3

    await redis.xtrim(stream, maxlen=2000, approximate=False)
    await index.follow()
    assert len(await redis.keys(f"{stream}:people:*")) == 1

    await redis.delete(stream)
    await _append(redis, stream, range(3))
    await index.follow()
    assert await redis.keys(f"{stream}:people*") == []
    assert await _found(redis, stream, Person(visitor="v0")) == ["2", "1", "0"]


async def test_a_short_stream_has_none(redis: Redis, names: Names) -> None:
    stream = names.stream(0)
    await _append(redis, stream, range(_EVENTS))

    await PeopleIndex(redis, names, from_entries=_EVENTS + 1).follow()

    assert await redis.keys(f"{stream}:people*") == []
    assert [each async for each in ranges(redis, stream, {1})] == [("-", "+")]


async def test_two_collectors_do_not_write_it_twice(redis: Redis, names: Names) -> None:
    stream = names.stream(0)
    await _append(redis, stream, range(_EVENTS))
    first, second = (PeopleIndex(redis, names, from_entries=1) for _ in range(2))
    await first.follow()
    blocks = await redis.lrange(f"{stream}:people", 0, -1)

    await second.follow()
    assert await redis.lrange(f"{stream}:people", 0, -1) == blocks

    await redis.delete(names.people_writer)  # the first was away for a minute
    await _append(redis, stream, range(_EVENTS, 2 * _EVENTS))
    await second.follow()
    await redis.delete(names.people_writer)  # and goes on where it was
    with pytest.raises(WatchError):
        await first.follow()

    found = await _found(redis, stream, Person(user="often"))
    assert found == [*(str(number) for number in range(11000, 5000, -1000)), *_OFTEN]
