"""Postgres and ClickHouse: each event a row once, gone when it must be, whatever dies in between."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import pytest

from collector.sinks import Away, Rejected, SinkError
from collector.sinks.registry import open_sink
from tests.sinks.conftest import delivery, event, example_of, fill, tombstone
from tests.sinks.servers import PASSWORD, ClickHouse, Postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from redis.asyncio import Redis

    from collector.settings import Settings
    from collector.sinks import Delivery
    from tests.sinks.conftest import Bring

_NAMES = itertools.count()


class Database(Protocol):
    """A database under test with an empty place in it."""

    sink: str
    to: str
    named: str
    read: str
    options: dict[str, str]

    async def ask(self, statement: str) -> list[tuple[Any, ...]]: ...
    def start(self) -> None: ...
    def kill(self) -> None: ...


class InPostgres:
    sink = "postgres"
    read = "SELECT message::text FROM events"
    named = "Seen"

    def __init__(self, server: Postgres, to: str) -> None:
        self._server = server
        self.to = to
        self.options = {"password": PASSWORD}
        self.start, self.kill = server.start, server.kill

    async def ask(self, statement: str) -> list[tuple[Any, ...]]:
        connection = await self._server.connect(self.to.rpartition("/")[2])
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()


class InClickHouse:
    sink = "clickhouse"
    read = "SELECT message FROM events FINAL"
    named = "/a"

    def __init__(self, server: ClickHouse, table: str) -> None:
        self._server = server
        self.to = server.url
        self.options = {"password": PASSWORD, "table": table}
        self.start, self.kill = server.start, server.kill

    async def ask(self, statement: str) -> list[tuple[Any, ...]]:
        statement = statement.replace(" events", f" {self.options['table']}")
        answer = self._server.ask(f"{statement} FORMAT JSONCompactEachRow")
        return [tuple(orjson.loads(line)) for line in answer.splitlines()]


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def clickhouse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    server = ClickHouse(tmp_path_factory.mktemp("clickhouse"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["postgres", "clickhouse"])
async def database(request: pytest.FixtureRequest) -> Database:
    """Each database in turn, with nothing in it."""
    name = f"test{next(_NAMES)}"
    server = request.getfixturevalue(f"{request.param}_server")
    if request.param == "postgres":
        return InPostgres(server, await server.fresh(name))
    return InClickHouse(server, name)


@pytest.fixture
async def sink(database: Database) -> AsyncIterator[Any]:
    """A sink that writes to the database."""
    opened = open_sink(database.sink, database.to, database.options)
    await opened.healthy()
    yield opened
    await opened.close()  # type: ignore[attr-defined]


async def kept(database: Database) -> list[dict[str, Any]]:
    """Return the events in the table, by their ids."""
    found = [orjson.loads(row[0]) for row in await database.ask(database.read)]
    return sorted(found, key=lambda each: each["messageId"])


async def write(sink: Any, *batch: Delivery) -> None:
    """Write as the runner does."""
    await sink.healthy()
    await sink.write(batch)


async def test_a_sink_and_a_database_that_are_killed_leave_every_event_once(
    redis: Redis, settings: Settings, bring: Bring, database: Database
) -> None:
    events = [event(number) for number in range(3000)]
    await fill(redis, settings, *events)

    def fall() -> None:
        database.kill()
        database.start()

    await bring(database.sink, database.to, database.options, meanwhile=fall)

    assert await kept(database) == sorted(map(orjson.loads, events), key=lambda each: each["messageId"])


async def test_what_is_delivered_again_in_other_batches_is_there_once(database: Database, sink: Any) -> None:
    for numbers in ((1, 2, 3), (2, 3, 4), (1, 4), (4, 4)):
        await sink.write([delivery(number) for number in numbers])

    assert [each["messageId"] for each in await kept(database)] == ["m1", "m2", "m3", "m4"]


async def test_columns_are_typed_and_what_does_not_fit_is_in_the_message_alone(
    database: Database, sink: Any
) -> None:
    odd = delivery(
        2, event=7, timestamp="soon", context={"page": "none"}, properties=[1], userId="a\0b\\u0000"
    )
    await sink.write([delivery(1, collector={"gpc": True}, context={"consent": {"ads": False}}), odd])

    rows = await database.ask(
        "SELECT event, gpc, anonymous_id, consent, properties FROM events ORDER BY message_id"
    )
    on_time = await database.ask("SELECT count(*) FROM events WHERE received_at = '2026-01-02 03:04:05'")

    assert [(*row[:3], *(text and orjson.loads(text) for text in row[3:])) for row in rows] == [
        ("Seen", True, "visitor1", {"ads": False}, {"number": 1}),
        (None, False, "visitor2", None, [1]),
    ]
    assert on_time == [(2,)]


async def test_a_tombstone_removes_what_was_received_of_the_person_before_it_in_whatever_order(
    database: Database, sink: Any
) -> None:
    gone = [delivery(1, userId="ada"), delivery(2, traits={"email": "ada@shop.example"}, userId="ada")]
    late = delivery(3, userId="ada")
    stays = [delivery(4, userId="bob"), delivery(5, userId="ada", receivedAt="2026-01-04T00:00:00.000Z")]
    mark = tombstone(6, "2026-01-03T00:00:00.000Z", userId="ada")

    await sink.write([*gone, stays[0]])
    await sink.write([mark, stays[1]])
    await sink.write([mark])  # delivered again
    await sink.write([late])  # by a process that was held up

    assert [each["messageId"] for each in await kept(database)] == ["m4", "m5", "m6"]


async def test_however_many_tombstones_there_are_each_is_applied(database: Database, sink: Any) -> None:
    """A thousand visitors are more than an answer of one piece."""
    when = "2026-01-03T00:00:00.000Z"
    marks = [tombstone(number, when, anonymousId=f"gone{number}") for number in range(1000)]
    await sink.write(marks)
    await sink.write(
        [delivery(2001, anonymousId="gone7"), delivery(2002), delivery(2003, anonymousId="gone999")]
    )

    kept_now = [each["messageId"] for each in await kept(database) if each["type"] != "forget"]
    assert kept_now == ["m2002"]


async def test_what_the_table_never_takes_is_rejected_and_nothing_of_its_batch_is_kept(
    database: Database, sink: Any
) -> None:
    for broken in (replace(delivery(2), event=b"{"), tombstone(3, "")):
        with pytest.raises(Rejected):
            await sink.write([delivery(1), broken])

    assert await kept(database) == []


async def test_what_postgres_or_its_library_cannot_write_is_rejected_and_the_next_is_taken(
    postgres_server: Postgres,
) -> None:
    database = InPostgres(postgres_server, await postgres_server.fresh("halves"))
    sink: Any = open_sink(database.sink, database.to, database.options)
    half = replace(delivery(2), event=b'{"userId":"\\ud800"}')
    for broken in (half, replace(delivery(3), source="\ud800")):
        with pytest.raises(Rejected):
            await write(sink, delivery(1), broken)
        await write(sink, delivery(1))
    await sink.close()

    assert [each["messageId"] for each in await kept(database)] == ["m1"]


async def test_a_database_that_is_away_is_waited_for_and_one_that_is_back_takes_on(
    database: Database, sink: Any
) -> None:
    await sink.write([delivery(1)])
    database.kill()
    for _ in range(2):
        with pytest.raises((Away, OSError)):
            await write(sink, delivery(2))

    database.start()
    await write(sink, delivery(2))

    assert [each["messageId"] for each in await kept(database)] == ["m1", "m2"]


async def test_a_wrong_password_is_one_sentence_without_it(database: Database) -> None:
    sink: Any = open_sink(database.sink, database.to, {**database.options, "password": "wrongsecret"})

    with pytest.raises(SinkError) as raised:
        await sink.healthy()

    await sink.close()
    told = str(raised.value)
    assert "password" in told
    assert "wrongsecret" not in told
    assert "\n" not in told


async def test_the_example_of_the_page_counts_what_happened(database: Database, sink: Any) -> None:
    bot = delivery(3, type="page", context={"page": {"path": "/b"}, "bot": {"is": True}})
    await sink.write([delivery(1), replace(delivery(2, type="page"), type="page"), bot])

    rows = await database.ask(example_of(database.sink, "sql").strip())

    assert [(str(day), *rest) for day, *rest in rows] == [("2026-01-02", database.named, 1, 1)]
