"""Snapshots: a burst of changes is few writes, and none of it is missing on disk, whatever comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.sources import Catalogue, check_form
from collector.store import Names, snapshot
from collector.store.mirror import Mirror
from collector.tasks import running
from tests.conftest import until

if TYPE_CHECKING:
    from pathlib import Path

    from redis.asyncio import Redis

    from collector.settings import Settings

BURST = 200


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return what is written, in its order."""
    written: list[bytes] = []
    write = snapshot.replace_file

    def count(path: Path, data: bytes) -> None:
        write(path, data)
        written.append(data)

    monkeypatch.setattr(snapshot, "replace_file", count)
    return written


async def test_a_burst_of_changes_to_a_mirror_is_few_writes_and_none_is_missing(
    redis: Redis, settings: Settings, tmp_path: Path, writes: list[bytes]
) -> None:
    key, path = Names(settings.namespace).short_links, tmp_path / "links.snapshot"
    mirror, writer = Mirror(redis, key, path), Mirror(redis, key)

    async def holds_all() -> bool:
        return path.exists() and len(path.read_bytes().split(b"\n")) == BURST

    async with running(mirror.watch()):
        for number in range(BURST):
            await writer.put({f"link{number}": b"x"})
        await until(holds_all)

    assert 0 < len(writes) < BURST / 4


async def test_what_changes_at_the_last_moment_is_on_disk_after_the_end(
    redis: Redis, settings: Settings, tmp_path: Path
) -> None:
    names = Names(settings.namespace)
    mirror = Mirror(redis, names.short_links, tmp_path / "links.snapshot")
    catalogue = Catalogue(redis, names, tmp_path / "sources.snapshot")

    async def seen() -> bool:
        return mirror.get("link") is not None and catalogue.find("shop") is not None

    async with running(mirror.watch()), running(catalogue.watch()):
        await until(lambda: _fresh(mirror, catalogue))
        await Mirror(redis, names.short_links).put({"link": b"x"})
        await Catalogue(redis, names).add(check_form({"id": "shop", "name": "Shop"}))
        await until(seen)

    assert (tmp_path / "links.snapshot").read_bytes() == b"link x"
    assert b'"id":"shop"' in (tmp_path / "sources.snapshot").read_bytes()


async def test_what_a_disk_did_not_take_is_written_once_it_does(
    redis: Redis, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "later"
    mirror = Mirror(redis, Names(settings.namespace).short_links, folder / "links.snapshot")
    await mirror.put({"link": b"x"})

    async def written() -> bool:
        return (folder / "links.snapshot").exists()

    async with running(mirror.watch()):
        await until(lambda: _fresh(mirror))
        folder.mkdir()
        await until(written)


async def _fresh(*held: Mirror | Catalogue) -> bool:
    return all(each.fresh for each in held)
