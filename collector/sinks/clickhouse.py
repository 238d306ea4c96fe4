"""Events as rows of a ClickHouse table, over its HTTP interface; what comes again replaces itself."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import SecretStr  # noqa: TC002 - the option is converted to it

from collector.sinks import Away, Limits, Rejected, SinkError
from collector.sinks.address import NO_SECRET, read_address, tls_context
from collector.sinks.calls import Calls
from collector.sinks.columns import COLUMNS
from collector.sinks.table import COLUMN_NAMES, keep, table_name
from collector.sinks.tombstones import FORGET, Tombstone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.sinks import Delivery
    from collector.sinks.table import Row

_TRY_SECONDS = 600  # a tombstone may have to look far
_TYPES = {
    "text": "Nullable(String)",
    "time": "Nullable(DateTime64(3, 'UTC'))",
    "bool": "Bool",
    "json": "Nullable(String)",
}
_NEEDED = {  # what rows are sorted and told apart by
    "source": "LowCardinality(String)",
    "type": "LowCardinality(String)",
    "message_id": "String",
    "received_at": "DateTime64(3, 'UTC')",
    "people": "Array(Int64)",
    "message": "String",
}
_AT_ONCE = 100  # tombstones in a mutation, which rewrites all that it touches
_ASKER = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


def clickhouse(
    to: str,
    *,
    user: str = "default",
    password: SecretStr = NO_SECRET,
    database: str = "default",
    table: str = "events",
    ca: str = "",
    events: int = 50_000,
    size: int = 64 * 1024**2,
    seconds: float = 5,
) -> ClickHouseSink:
    """Make a sink of a table, which is made when it is not there. Raises SinkError."""
    parts = read_address(to, ("http", "https"))
    calls = Calls(_TRY_SECONDS, tls=tls_context(ca) if parts.scheme == "https" else None)
    login = {
        "X-ClickHouse-User": user,
        "X-ClickHouse-Key": password.get_secret_value(),
        "X-ClickHouse-Database": database,
    }
    return ClickHouseSink(to, login, table_name(table), calls, Limits(events, size, seconds))


class ClickHouseSink:
    """A table behind an address."""

    def __init__(self, url: str, login: dict[str, str], table: str, calls: Calls, limits: Limits) -> None:
        self.limits = limits
        self._url = url
        self._login = login
        self._table = table
        self._calls = calls
        self._made = False

    async def healthy(self) -> None:
        """See once that the table is there. Raises Away, SinkError."""
        if not self._made:
            try:
                await self._ask(_MAKE.format(table=self._table, columns=_columns()))
            except Rejected as error:
                raise SinkError(str(error)) from None
            self._made = True

    async def write(self, batch: Sequence[Delivery]) -> None:
        """Add a batch and remove whom its tombstones name."""
        await keep(self, batch)

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()

    async def insert(self, rows: Sequence[Row]) -> None:
        """Insert the rows in one block; the very same block is not inserted again soon after."""
        lines = [orjson.dumps({name: _plain(row[name]) for name in COLUMN_NAMES}) for row in rows]
        body = b"\n".join(lines)
        statement = f"INSERT INTO {self._table} ({', '.join(COLUMN_NAMES)}) FORMAT JSONEachRow"
        token = sha256(body).hexdigest()
        await self._ask(statement, body, async_insert="0", insert_deduplication_token=token)

    async def tombstones(self, since: datetime) -> list[Tombstone]:
        """Return the tombstones that are as late as this."""
        answer = await self._ask(
            f"SELECT toUnixTimestamp64Milli(received_at), people FROM {self._table} FINAL "  # noqa: S608 - a checked name
            f"WHERE type = '{FORGET}' AND received_at >= '{_plain(since)}' FORMAT JSONCompactEachRow",
            output_format_json_quote_64bit_integers="0",
        )
        rows = [orjson.loads(line) for line in answer.splitlines()]
        return [Tombstone(frozenset(people), datetime.fromtimestamp(ms / 1000, UTC)) for ms, people in rows]

    async def remove(self, tombstones: Sequence[Tombstone]) -> None:
        """Delete the rows that the tombstones cover, from the disk too, on every replica."""
        for start in range(0, len(tombstones), _AT_ONCE):
            covered = " OR ".join(map(_covered, tombstones[start : start + _AT_ONCE]))
            await self._ask(
                f"ALTER TABLE {self._table} DELETE WHERE type != '{FORGET}' AND ({covered})",
                mutations_sync="2",
            )

    async def _ask(self, statement: str, body: bytes = b"", **settings: str) -> bytes:
        """Return the answer to a statement, which goes into the address when there is a body."""
        params = {"wait_end_of_query": "1", **settings}
        if body:
            params["query"] = statement
        reply = await self._calls.post(self._url, body or statement.encode(), self._login, params)
        if reply.taken:
            return reply.body
        said = f"ClickHouse answered {reply.status}: {_sentence(reply.body)}"
        if reply.status in _ASKER:
            raise SinkError(said)
        raise Rejected(said) if reply.status == HTTPStatus.BAD_REQUEST else Away(said, reply.seconds)


_MAKE = """
CREATE TABLE IF NOT EXISTS {table} ({columns})
ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(received_at)
ORDER BY (type, source, received_at, message_id)
SETTINGS non_replicated_deduplication_window = 1000
"""


def _covered(tombstone: Tombstone) -> str:
    return f"hasAny(people, {sorted(tombstone.people)}) AND received_at <= '{_plain(tombstone.when)}'"


def _columns() -> str:
    types = {each.name: _TYPES[each.kind] for each in COLUMNS} | _NEEDED
    return ", ".join(f"{name} {types[name]}" for name in COLUMN_NAMES)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; a time as ClickHouse reads it without being told a format."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return value


def _sentence(body: bytes) -> str:
    """Return the first line of a complaint without what it quotes of the data."""
    line = body.decode(errors="replace").partition("\n")[0]
    return line.partition("(at row")[0].partition(": while ")[0].strip()[:300]
