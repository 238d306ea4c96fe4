"""Parquet files: what the page says of them, read by DuckDB; each event once, and gone when it must be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest

from collector.sinks import Rejected
from collector.sinks.registry import open_sink
from tests.sinks.conftest import delivery, event, example_of, messages, tombstone

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_example_of_the_page_counts_pages_and_visitors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bot = delivery(8, type="page", context={"page": {"path": "/a"}, "bot": {"is": True}})
    other = delivery(9, type="page", context={"page": {"path": "/b"}})
    views = [delivery(number, type="page") for number in (1, 2, 8, 86_400)]
    await open_sink("parquet", "events", {}).write([*views[:2], bot, other, views[3]])

    rows = duckdb.sql(example_of("parquet", "sql")).fetchall()

    assert [(str(day), *rest) for day, *rest in rows] == [
        ("2026-01-02", "/a", 2, 2),
        ("2026-01-02", "/b", 1, 1),
        ("2026-01-03", "/a", 1, 1),
    ]


async def test_columns_are_typed_and_what_does_not_fit_is_in_the_message_alone(tmp_path: Path) -> None:
    odd = delivery(2, event=7, properties=[1], timestamp="soon", context={"page": "none"})
    await open_sink("parquet", str(tmp_path), {}).write([delivery(1), odd])

    found = duckdb.sql(
        f"select event, timestamp at time zone 'UTC', properties, page_path, source "  # noqa: S608 - our folder
        f"from read_parquet('{tmp_path}/*/*/*.parquet', hive_partitioning = true) order by message_id"
    ).fetchall()

    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).replace(tzinfo=None)
    assert found == [("Seen", when, '{"number":1}', "/a", "web1"), (None, None, "[1]", None, "web1")]
    assert sorted(messages(tmp_path)) == sorted(each.event for each in (delivery(1), odd))


async def test_what_is_delivered_again_is_there_once_and_tombstones_are_applied(tmp_path: Path) -> None:
    sink = open_sink("parquet", str(tmp_path), {})
    for numbers in ((1, 2, 3), (2, 3, 4), (1, 4)):
        await sink.write([delivery(number) for number in numbers])
    assert sorted(messages(tmp_path)) == sorted(map(event, (1, 2, 3, 4)))

    mark = tombstone(5, "2026-01-03T00:00:00.000Z", anonymousId="visitor2")
    await sink.write([mark])

    assert sorted(messages(tmp_path)) == sorted([event(1), event(3), event(4), mark.event])


async def test_what_is_no_event_is_rejected_and_a_broken_file_is_named(tmp_path: Path) -> None:
    sink = open_sink("parquet", str(tmp_path), {})
    for broken in (replace(delivery(1), event=b"{"), tombstone(2, "")):
        with pytest.raises(Rejected):
            await sink.write([broken])

    await sink.write([delivery(3)])
    (path,) = tmp_path.rglob("*.parquet")
    path.write_bytes(b"PAR")
    with pytest.raises(OSError, match=f"{path} is broken"):
        await sink.write([delivery(3)])
