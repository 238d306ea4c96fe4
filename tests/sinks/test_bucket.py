"""Parquet in a bucket of an S3 over HTTP: each event once, in whole files, gone when it must be."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from collector.sinks import SinkError
from collector.sinks.registry import open_sink
from tests.faults.servers import free_port
from tests.sinks.conftest import delivery, event, fill, tombstone
from tests.sinks.servers import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis.asyncio import Redis

    from collector.settings import Settings
    from tests.sinks.conftest import Bring

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
    redis: Redis, settings: Settings, bring: Bring, store: Store, place: str
) -> None:
    events = [event(number) for number in range(2000)]
    await fill(redis, settings, *events)

    await bring("parquet", f"s3://{place}", {"endpoint": store.endpoint, **store.options})

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
