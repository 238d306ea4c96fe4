"""Events as rows of a Postgres table, partitioned by the month in which they were received."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
from pydantic import SecretStr  # noqa: TC002 - the option is converted to it

from collector.sinks import Away, Limits, Rejected, SinkError
from collector.sinks.address import NO_SECRET, read_address
from collector.sinks.columns import COLUMNS
from collector.sinks.table import COLUMN_NAMES, KEY, keep, table_name
from collector.sinks.tombstones import FORGET, Tombstone
from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from collector.sinks import Delivery
    from collector.sinks.table import Row

_CONNECT_SECONDS = 10
_COMMAND_SECONDS = 600  # a tombstone may have to look far
_TYPES = {"text": "text", "time": "timestamptz", "bool": "boolean", "json": "jsonb"}
_TEXTS = tuple(each.name for each in COLUMNS if each.kind == "text")
_JSONS = (*(each.name for each in COLUMNS if each.kind == "json"), "message")
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
# The classes of SQLSTATE that tell of the data, and those that tell of the one who asks.
_DATA = ("22", "23", "54")
_ASKER = ("28", "3D", "42")


def postgres(
    to: str,
    *,
    password: SecretStr = NO_SECRET,
    table: str = "events",
    events: int = 10_000,
    size: int = 16 * 1024**2,
    seconds: float = 2,
) -> PostgresSink:
    """Make a sink of a table, which is made when it is not there. Raises SinkError."""
    read_address(to, ("postgresql", "postgres"), user=True)
    return PostgresSink(to, password.get_secret_value(), table_name(table), Limits(events, size, seconds))


class PostgresSink:
    """One connection, opened when it is needed and again when it was lost."""

    def __init__(self, address: str, password: str, table: str, limits: Limits) -> None:
        self.limits = limits
        self._address = address
        self._password = password
        self._table = table
        self._connection: Any = None
        self._months: set[str] = set()

    async def healthy(self) -> None:
        """Connect, and see that the table is there. Raises Away, SinkError."""
        if self._connection is None or self._connection.is_closed():
            with _explained():
                self._connection = await asyncpg.connect(
                    self._address,
                    password=self._password or None,
                    timeout=_CONNECT_SECONDS,
                    command_timeout=_COMMAND_SECONDS,
                    server_settings={"application_name": "headwater"},
                )
                try:
                    await self._prepare()
                except BaseException:
                    self._connection.terminate()
                    raise

    async def write(self, batch: Sequence[Delivery]) -> None:
        """Add a batch and remove whom its tombstones name."""
        with _explained():
            try:
                await keep(self, batch)
            except ValueError:  # asyncpg's DataError among them, which it takes for a fault of the connection
                raise Rejected("Postgres has no form for a value of it.") from None

    async def close(self) -> None:
        """Leave."""
        if self._connection is not None:
            self._connection.terminate()

    async def insert(self, rows: Sequence[Row]) -> None:
        """Copy the rows beside the table, then add those that are not in it."""
        for month in {_month(row["received_at"]) for row in rows} - self._months:
            await self._make_partition(month)
        async with self._connection.transaction():
            await self._connection.copy_records_to_table(
                f"{self._table}_staging", records=[_record(row) for row in rows], columns=COLUMN_NAMES
            )
            names = ", ".join(f'"{name}"' for name in COLUMN_NAMES)
            await self._connection.execute(_ADD.format(table=self._table, names=names))

    async def tombstones(self, since: datetime) -> list[Tombstone]:
        """Return the tombstones that are as late as this."""
        found = await self._connection.fetch(_TOMBSTONES.format(table=self._table, forget=FORGET), since)
        return [Tombstone(frozenset(row["people"]), row["received_at"]) for row in found]

    async def remove(self, tombstones: Sequence[Tombstone]) -> None:
        """Delete the rows that the tombstones cover."""
        statement = _REMOVE.format(table=self._table, forget=FORGET)
        pairs = [(sorted(each.people), each.when) for each in tombstones]
        await self._connection.executemany(statement, pairs)

    async def _prepare(self) -> None:
        self._months.clear()
        await self._locked(_MAKE.format(table=self._table, columns=_columns(), key=", ".join(KEY)))
        await self._connection.execute(_MAKE_STAGING.format(table=self._table))

    async def _make_partition(self, month: str) -> None:
        name = f"{self._table}_{month[:4]}_{month[5:7]}"
        if await self._connection.fetchval("SELECT to_regclass($1)", name) is None:
            await self._locked(_MAKE_PARTITION.format(table=self._table, name=name, month=month))
        self._months.add(month)

    async def _locked(self, statements: str) -> None:
        """Make things one process after the other: IF NOT EXISTS alone is no protection from a neighbour."""
        async with self._connection.transaction():
            await self._connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", self._table)
            await self._connection.execute(statements)


_MAKE = """
CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({key})) PARTITION BY RANGE (received_at);
CREATE INDEX IF NOT EXISTS {table}_timestamp ON {table} ("timestamp");
CREATE INDEX IF NOT EXISTS {table}_event ON {table} (event, "timestamp");
CREATE INDEX IF NOT EXISTS {table}_visitor ON {table} (anonymous_id, "timestamp");
CREATE INDEX IF NOT EXISTS {table}_people ON {table} USING gin (people);
CREATE INDEX IF NOT EXISTS {table}_forgotten ON {table} (received_at) WHERE type = 'forget'
"""
_MAKE_STAGING = "CREATE TEMPORARY TABLE {table}_staging (LIKE {table}) ON COMMIT DELETE ROWS"
_MAKE_PARTITION = """
CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table}
FOR VALUES FROM ('{month} 00:00:00+00') TO (timestamptz '{month} 00:00:00+00' + interval '1 month')
"""
_ADD = "INSERT INTO {table} ({names}) SELECT {names} FROM {table}_staging ON CONFLICT DO NOTHING"
_TOMBSTONES = "SELECT received_at, people FROM {table} WHERE type = '{forget}' AND received_at >= $1"
_REMOVE = """
DELETE FROM {table} WHERE people && $1::bigint[] AND received_at <= $2 AND type <> '{forget}'
"""


def _columns() -> str:
    common = [f'"{each.name}" {_TYPES[each.kind]}' for each in COLUMNS]
    return ", ".join(["source text", *common, "people bigint[] NOT NULL", "message jsonb NOT NULL"])


def _month(when: datetime) -> str:
    return f"{when.date().replace(day=1)}"


def _record(row: Row) -> tuple[Any, ...]:
    """Return a row in the order of the columns; Postgres has no character 0, so it becomes U+FFFD."""
    if "\\u0000" in row["message"]:
        texts = {name: row[name].replace("\0", "\ufffd") for name in _TEXTS if row[name]}
        jsons = {name: _NUL.sub(r"\1\\ufffd", row[name]) for name in _JSONS if row[name]}
        row = {**row, **texts, **jsons}
    return tuple(row[name] for name in COLUMN_NAMES)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except asyncpg.PostgresError as error:
        state, message = error.sqlstate or "", error.args[0]  # the rest of it may quote what people did
        if state.startswith(_DATA):
            raise Rejected(f"Postgres does not take it: {message}.") from None
        if state.startswith(_ASKER):
            raise SinkError(f"Postgres refuses: {message}.") from None
        raise Away(f"Postgres does not work now: {message}.") from None
    except asyncpg.exceptions.ClientConfigurationError as error:
        raise SinkError(f"The target cannot be used: {error}.") from None
    except (asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise Away(f"Postgres does not answer: {why(error)}.") from None
