"""Parquet in a bucket of an S3 over HTTP: each event once, in whole files, gone when it must be."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from collector.sinks import SinkError
from collector.sinks.registry import open_sink
from collector.store import Names
from collector.stream.groups import list_groups
from tests.conftest import until
from tests.faults.servers import free_port
from tests.sinks.conftest import delivery, event, fill, tombstone
from tests.sinks.servers import Store

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from redis.asyncio import Redis

    from collector.settings import Settings

_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    made = Store()
    made.start()
    yield made
    made.kill()


@pytest.fixture
def place() -> str:
    """A folder in the bucket with nothing in it."""
    return f"lake/events{next(_NUMBERS)}"


def opened(store: Store, place: str, **options: str) -> Any:
    return open_sink("parquet", f"s3://{place}", {"endpoint": store.endpoint, **store.options, **options})


def kept(store: Store, place: str) -> list[bytes]:
    """Return the events in the files, in order."""
    table = pq.read_table(place, filesystem=store.system(), columns=["message"])
    return sorted(text.encode() for text in table["message"].to_pylist())


async def test_a_sink_that_is_killed_again_and_again_leaves_every_event_once(
    redis: Redis, settings: Settings, start: Callable[..., subprocess.Popen[str]], store: Store, place: str
) -> None:
    events = [event(number) for number in range(1000)]
    await fill(redis, settings, *events)
    options = [f"{key}={value}" for key, value in {"endpoint": store.endpoint, **store.options}.items()]
    for lines in (1, 3):
        process = start("parquet", f"s3://{place}", *options, "events=50")
        assert process.stdout
        for _ in range(lines):  # in the midst of its work
            process.stdout.readline()
        process.kill()
        process.wait()

    start("parquet", f"s3://{place}", *options, "events=70", "seconds=0.1")
    names = Names(settings.namespace)

    async def all_read() -> bool:
        return [group.lag for group in await list_groups(redis, names, "events", 0)] == [0]

    await until(all_read)
    assert kept(store, place) == sorted(events)


async def test_files_lie_by_day_and_source_and_tombstones_rewrite_them(store: Store, place: str) -> None:
    sink = opened(store, place)
    mark = tombstone(4, "2026-01-03T00:00:00.000Z", anonymousId="visitor2")
    await sink.healthy()
    await sink.write([delivery(1), delivery(2)])
    await sink.write([delivery(2), delivery(86_400)])
    await sink.write([mark])

    assert sorted(sink._folder._store.list()) == [
        "day=2026-01-02/source=headwater/events-0-1767312004000-0_1767312004000-0.parquet",
        "day=2026-01-02/source=web1/events-0-1767312001000-0_1767312002000-0.parquet",
        "day=2026-01-03/source=web1/events-0-1767398400000-0_1767398400000-0.parquet",
    ]
    assert kept(store, place) == sorted([event(1), event(86_400), mark.event])


async def test_a_store_that_is_away_is_waited_for(store: Store) -> None:
    sink = opened(store, "lake/away", endpoint=f"http://127.0.0.1:{free_port()}")

    with pytest.raises(OSError, match="lake"):
        await sink.healthy()


@pytest.mark.parametrize(
    ("to", "options", "told"),
    [
        ("s3://nowhere/events", {}, "There is no bucket nowhere."),
        ("s3:///events", {}, "The target names no bucket: s3://BUCKET/FOLDER."),
        ("gs://lake/events", {}, "The target must begin with s3://."),
        ("s3://lake/events", {"endpoint": "127.0.0.1:9000"}, "The endpoint is an http or https address."),
    ],
)
async def test_what_a_person_must_mend_is_one_sentence(
    store: Store, to: str, options: dict[str, str], told: str
) -> None:
    with pytest.raises(SinkError) as raised:
        await open_sink("parquet", to, {"endpoint": store.endpoint, **store.options, **options}).healthy()

    assert str(raised.value) == told


async def test_keys_that_are_not_known_are_one_sentence() -> None:
    store = Store(locked=True)
    store.start()
    try:
        with pytest.raises(SinkError) as raised:
            await opened(store, "lake/events").healthy()
    finally:
        store.kill()

    assert str(raised.value) == "The store does not let us into lake: check the keys."
