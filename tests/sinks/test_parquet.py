"""Parquet files: what the page says of them, read by DuckDB; each event once, and gone when it must be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from collector.sinks import Rejected
from collector.sinks.registry import open_sink
from tests.sinks.conftest import delivery, event, example_of, messages, tombstone

if TYPE_CHECKING:
    from pathlib import Path

    from collector.sinks import Delivery


def examples(number: int) -> list[tuple[Any, ...]]:
    """Return what an example of the page finds in the folder ``events``."""
    duckdb.sql(example_of("parquet", "sql", 0))
    return duckdb.sql(example_of("parquet", "sql", number)).fetchall()


async def write(*batch: Delivery, **options: str) -> None:
    await open_sink("parquet", "events", options).write(batch)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def test_the_example_of_pages_counts_views_and_visitors() -> None:
    bot = delivery(8, type="page", context={"page": {"path": "/a"}, "bot": {"is": True}})
    other = delivery(9, type="page", context={"page": {"path": "/b"}})
    views = [delivery(number, type="page") for number in (1, 2, 8, 86_400)]
    await write(*views[:2], bot, other, views[3])

    assert [(str(day), *rest) for day, *rest in examples(1)] == [
        ("2026-01-02", "/a", 2, 2),
        ("2026-01-02", "/b", 1, 1),
        ("2026-01-03", "/a", 1, 1),
    ]


def at(number: int, second: int, **fields: Any) -> Delivery:
    """Return an event of a second of one minute."""
    return delivery(number, timestamp=f"2026-01-02T03:04:{second:02}.000Z", **fields)


async def test_the_example_of_sessions_finds_where_each_began_and_how_long_it_was() -> None:
    def page(path: str) -> dict[str, Any]:
        return {"type": "page", "context": {"page": {"path": path}}}

    await write(
        at(1, 1, sessionId="s1", **page("/in")),
        at(2, 31, sessionId="s1", **page("/on")),
        at(3, 41, sessionId="s1"),
        at(4, 2, sessionId="s2", **page("/b")),
        delivery(5),
    )

    assert examples(2) == [("s1", "/in", 2, 40), ("s2", "/b", 1, 0)]


async def test_the_example_of_a_funnel_counts_steps_in_their_order() -> None:
    view, add, order = "Product Viewed", "Product Added", "Order Completed"
    paths = {
        "a": (view, add, order),
        "b": (add, view),
        "c": (view, view, add),
        "d": (order,),
        "e": (view, order, add),
    }
    steps = [(who, place, step) for who, path in paths.items() for place, step in enumerate(path)]
    await write(
        *(
            at(number, place, anonymousId=who, event=step)
            for number, (who, place, step) in enumerate(steps, 1)
        )
    )

    assert examples(3) == [(4, 3, 1)]


async def test_the_example_of_attribution_gives_an_order_to_what_brought_its_visitor_last() -> None:
    def from_(campaign: str = "", referrer: str = "") -> dict[str, Any]:
        return {"campaign": {"source": campaign}} if campaign else {"referrer": {"source": referrer}}

    bought = {"event": "Order Completed", "properties": {"total": 20}}
    await write(
        at(1, 1, anonymousId="a", context=from_(campaign="news")),
        at(2, 2, anonymousId="a", context=from_(referrer="Google")),
        at(3, 3, anonymousId="a", **bought),
        at(4, 4, anonymousId="a", context=from_(campaign="late")),
        at(5, 5, anonymousId="b", **bought),
        at(6, 1, anonymousId="c", context=from_(campaign="news")),
        at(7, 9, anonymousId="c", **{**bought, "properties": {"total": 50.5}}),
    )

    assert examples(4) == [("news", 1, 50.5), ("Google", 1, 20.0), ("direct", 1, 20.0)]


async def test_columns_grow_with_the_properties_and_their_types_meet_across_files() -> None:
    await write(
        delivery(1, properties={"Total": 7, "total": 8, "gift": True, "to": {"city": "Bern"}}), columns="true"
    )
    await write(
        delivery(2, properties={"total": 19.5, "mixed": 1}), delivery(3, properties=[1]), columns="true"
    )
    await write(
        delivery(4, properties={"mixed": "a", "long": 2**63}),
        delivery(5, properties={"mixed": 1}),
        columns="true",
    )

    names = ("total", "gift", '"to"', "mixed", "long")
    columns = ", ".join(f"property_{name.strip(chr(34))}" for name in names)
    duckdb.sql(example_of("parquet", "sql", 0))
    found = duckdb.sql(f"SELECT {columns} FROM events ORDER BY message_id").fetchall()  # noqa: S608 - our own

    assert found == [
        (7.0, True, '{"city":"Bern"}', None, None),
        (19.5, None, None, "1", None),
        (None, None, None, None, None),
        (None, None, None, "a", float(2**63)),
        (None, None, None, "1", None),
    ]


async def test_no_more_columns_grow_than_are_good() -> None:
    wild = {f"p{number}": number for number in range(300)}
    await write(delivery(1, properties=wild), columns="true")

    duckdb.sql(example_of("parquet", "sql", 0))
    columns = [row[0] for row in duckdb.sql("DESCRIBE events").fetchall()]
    assert len([name for name in columns if name.startswith("property_")]) == 200


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
