"""A person's timeline: all events of an id from all sources and streams, newest first, page by page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from collector.people import Holdings, Person, PersonError, forget, person
from collector.store import Redis
from collector.store.people import digests_in, email_hash

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Running

JANE = email_hash("jane@shop.example")


@pytest.fixture
async def holdings(running: Running) -> AsyncIterator[Holdings]:
    async with Redis.from_url(running.settings.redis_url, protocol=2) as redis:
        yield Holdings(redis, running.names, running.parts.catalogue)


async def _seen(running: Running, source: str, name: str, **ids: Any) -> None:
    await running.post(source, {"batch": [{"type": "track", "event": name, **ids}]})


async def _names(holdings: Holdings, who: Person, **page: Any) -> list[str]:
    return [held.event["event"] async for held in person(holdings, who, **page)]


async def _two_sources(running: Running) -> None:
    rules = [{"name": "r", "event": "b", "stream": "elsewhere"}]
    cookie = {"visitors": "cookie"}
    first = await running.add(privacy=cookie, enrichment={"rules": rules})
    second = await running.add(name="Second", privacy=cookie)
    await _seen(running, first.id, "a", userId="jane")
    await _seen(running, first.id, "b", userId="jane", anonymousId="v1")
    await _seen(running, first.id, "not hers", userId="jan", properties={"who": "jane"})
    await _seen(running, second.id, "c", userId="jane")
    await _seen(running, second.id, "d", anonymousId="v1")


async def test_it_holds_all_sources_and_streams_newest_first(running: Running, holdings: Holdings) -> None:
    await _two_sources(running)

    assert await _names(holdings, Person(user="jane")) == ["c", "b", "a"]
    assert await _names(holdings, Person(user="jane", visitor="v1")) == ["d", "c", "b", "a"]


async def test_it_goes_on_after_a_cursor(running: Running, holdings: Holdings) -> None:
    await _two_sources(running)
    who = Person(user="jane", visitor="v1")
    held = [each async for each in person(holdings, who)]

    pages = [await _names(holdings, who, before=each.cursor) for each in held]

    assert pages == [["c", "b", "a"], ["b", "a"], ["a"], []]


async def test_an_address_finds_its_events_by_either_form(running: Running, holdings: Holdings) -> None:
    source = await running.add(privacy={"visitors": "cookie"})
    hashed = email_hash("jane@shop.example")
    await _seen(running, source.id, "hashed", anonymousId=hashed)
    await _seen(running, source.id, "written", properties={"email": "Jane@shop.example"})
    await _seen(running, source.id, "not hers", properties={"email": "john@shop.example"})

    for who in (Person(email=" jane@Shop.example"), Person(email=hashed.upper())):
        assert await _names(holdings, who) == ["written", "hashed"]


async def test_whoever_waits_is_told_how_far_it_is(running: Running, holdings: Holdings) -> None:
    await _two_sources(running)
    told: list[tuple[int, int]] = []

    await _names(holdings, Person(user="jane"), progress=lambda done, total: told.append((done, total)))

    assert told[-1] == (5, 5)


async def test_nobody_and_a_cursor_of_something_else_are_refused(
    holdings: Holdings, running: Running
) -> None:
    await _two_sources(running)

    with pytest.raises(PersonError, match="Name the person"):
        await _names(holdings, Person())
    with pytest.raises(PersonError, match="no cursor"):
        await _names(holdings, Person(user="jane"), before="x")


@pytest.mark.parametrize(
    ("event", "texts"),
    [
        (b'{"userId":"a"}', ["a"]),
        (b'{"userId":5,"anonymousId":null}', ["5"]),
        (b'{"context":{"traits":{"previousId":"a\\"b"}}}', ['a"b']),
        (b'{"text":"\\"userId\\":\\"a\\""}', []),
        (b'{"messageId":"a","sessionId":"b","groupId":"c"}', []),
        ('{"anonymousId":"ü","userId":"b"}'.encode(), ["ü", "b"]),
        (b'{"userId":"\\ud800","anonymousId":"a"}', ['"\\ud800"', "a"]),
        (b'{"userId": "a", "anonymousId" :\n\t5, "email" : "jane@shop.example"}', ["a", "5", JANE]),
    ],
)
def test_ids_are_read_wherever_they_stand(event: bytes, texts: list[str]) -> None:
    expected = frozenset().union(*(Person(user=text).digests for text in texts))

    assert digests_in(event) == expected


FOREIGN = [
    json.dumps({"type": "track", "event": "a", "userId": "jane"}),
    json.dumps({"type": "track", "event": "b", "properties": {"email": "jane@shop.example"}}, indent=2),
    '{"event": "no number", "userId": "jane", "value": NaN}',
    '[{"userId" : "jane"}]',
    '{"userId": "jane", "event": "broken off',
]


async def test_what_other_programs_have_appended_in_their_own_manner_is_told_and_forgotten(
    running: Running, holdings: Holdings
) -> None:
    stream, who = running.names.stream(0), Person(user="jane", email="jane@shop.example")
    for event in [*FOREIGN, json.dumps({"event": "john's", "userId": "john"})]:
        await holdings.redis.xadd(stream, {"source": "theirs", "type": "track", "event": event})

    told = [held.event async for held in person(holdings, who)]
    forgotten = await forget(holdings, who)

    assert [event.get("event") for event in told] == [*reversed(FOREIGN[2:]), "b", "a"]
    assert forgotten.events == len(FOREIGN)
    assert await _names(holdings, who) == []
    assert await _names(holdings, Person(user="john")) == ["john's"]
