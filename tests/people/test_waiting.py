"""What is not in a stream yet, or beside one: events in a spool and kept deliveries are a person's too."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import orjson
import pytest

from collector.store import Names, Redis
from collector.store.erased import remember_erased
from collector.store.people import Person, email_hash, tells_of
from collector.stream import Record
from tests.conftest import until
from tests.enrich.command import headwater
from tests.stream.conftest import open_stream, stored

if TYPE_CHECKING:
    from pathlib import Path

    from collector.settings import Settings
    from tests.conftest import Running
    from tests.faults.servers import Server


def _record(user: str) -> Record:
    data = orjson.dumps({"type": "track", "userId": user})
    return Record(user, "events", "source", "track", f"id-{user}", 3600, data)


async def _spooled(server: Server, folder: Path, *users: str) -> None:
    """Leave events in the spool of a collector that is gone."""
    server.kill()
    async with open_stream(server, folder) as stream:
        await stream.append([_record(user) for user in users])
        waiting = [orjson.loads(record.data)["userId"] async for record in stream.waiting()]
    server.start()

    assert waiting == list(users)


async def _forget(server: Server, who: Person) -> None:
    async with Redis.from_url(server.url, protocol=2) as redis:
        await remember_erased(redis, Names(), who.digests)


async def test_who_was_forgotten_does_not_come_out_of_a_spool(server: Server, tmp_path: Path) -> None:
    await _spooled(server, tmp_path, "jane", "john")
    await _forget(server, Person(user="jane"))

    async with open_stream(server, tmp_path):
        await until(lambda: _one_stored(server))

    assert stored(server) == [_record("john").data]


async def test_who_came_back_after_that_is_stored(server: Server, tmp_path: Path) -> None:
    await _forget(server, Person(user="jane"))
    await _spooled(server, tmp_path, "jane")

    async with open_stream(server, tmp_path):
        await until(lambda: _one_stored(server))

    assert stored(server) == [_record("jane").data]


async def _one_stored(server: Server) -> bool:
    return len(stored(server)) == 1


async def test_an_export_holds_what_waits_in_a_spool(server: Server, settings: Settings) -> None:
    await _spooled(server, settings.data, "jane", "john")

    _, out = await headwater(settings, "export", "--user", "jane")

    (line,) = out.splitlines()
    assert orjson.loads(line) == {"spool": "events", "event": {"type": "track", "userId": "jane"}}


_FORWARDED = {
    "X-Forwarded-For": "203.0.113.9",
    "Forwarded": "for=203.0.113.9",
    "CF-Connecting-IP": "203.0.113.9",
}


async def _delivered(running: Running) -> None:
    source = await running.add(bridge="webhook", settings={"keep": "all"})
    for user in ("jane", "john"):
        answer = await running.public.post(
            f"/h/{source.id}", json={"customer": {"id": user}}, headers=_FORWARDED
        )
        assert answer.status == 200
    await running.parts.deliveries.flush()


async def test_kept_deliveries_are_handed_out_and_removed(running: Running) -> None:
    await _delivered(running)

    _, out = await headwater(running.settings, "export", "--user", "jane")
    _, said = await headwater(running.settings, "forget", "--user", "jane", "--yes")
    _, after = await headwater(running.settings, "export", "--user", "jane")
    _, others = await headwater(running.settings, "export", "--user", "john")

    (line,) = out.splitlines()
    delivery = orjson.loads(line)["delivery"]
    assert delivery["method"] == "POST"
    assert "address" not in delivery
    assert "203.0.113.9" not in line.decode()
    assert said == b"Removed 0 events and 1 kept deliveries.\n"
    assert after == b""
    assert len(others.splitlines()) == 1


_HASH = email_hash("jane@shop.example")


@pytest.mark.parametrize(
    ("body", "query", "ids", "expected"),
    [
        (b'{"a":[{"user":"jane"}]}', "", {"jane"}, True),
        (b'{"user":"janet","text":"jane said"}', "", {"jane"}, False),
        (b'{"customer_id":42}', "", {"42"}, True),
        (b'{"quantity":42}', "", {"42"}, False),
        (b'{"to":"Jane@shop.example"}', "", {_HASH}, True),
        (b"name=x&user=jane", "", {"jane"}, True),
        (b"payload=%7B%22user%22%3A%22jane%22%7D", "", {"jane"}, True),
        (b"<to>jane@shop.example</to>", "", {_HASH}, True),
        (b"", "user=jane", {"jane"}, True),
        (b"\xff\xfe", "", {"jane"}, False),
    ],
)
def test_a_delivery_tells_of_whose_id_is_a_value_in_it(
    body: bytes, query: str, ids: set[str], *, expected: bool
) -> None:
    assert tells_of(body, query, ids) is expected


async def test_the_list_of_the_forgotten_holds_no_id_and_ends(redis: Redis, settings: Settings) -> None:
    names = Names(settings.namespace)
    await redis.zadd(names.erased, {"1": time.time() - 366 * 24 * 3600})

    await remember_erased(redis, names, Person(user="jane").digests)

    (member,) = await redis.zrange(names.erased, 0, -1)
    assert member == str(*Person(user="jane").digests).encode()
