"""How far archives were imported is kept of the latest, so that it does not grow for ever."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from collector.store import Names, positions
from collector.store.positions import Position, Positions

if TYPE_CHECKING:
    import pytest
    from redis.asyncio import Redis

    from collector.settings import Settings


def digest(head: bytes) -> str:
    return blake2b(head).hexdigest()


async def test_of_too_many_archives_those_are_forgotten_that_were_imported_longest_ago(
    limited_redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "_MOST", 3)
    kept = Positions(limited_redis, Names(settings.namespace), "web1")
    archives = [b"archive %d" % number for number in range(5)]
    for archive in (archives[0], archives[1], archives[0], *archives[2:]):
        await kept.keep(digest(archive), Position(len(archive), number=7))

    found = [await kept.find(archive, digest) for archive in archives]

    assert [each.number if each else None for each in found] == [None, None, 7, 7, 7]


async def test_a_position_from_before_times_were_kept_is_read_and_goes_first(
    redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "_MOST", 1)
    names = Names(settings.namespace)
    kept = Positions(redis, names, "web1")
    await redis.hset(names.imports("web1"), digest(b"old"), b'{"head":3,"number":5}')
    before = await kept.find(b"old", digest)
    await kept.keep(digest(b"new"), Position(3))

    assert before == Position(3, number=5)
    assert await kept.find(b"old", digest) is None
    assert await kept.find(b"new", digest) == Position(3)
