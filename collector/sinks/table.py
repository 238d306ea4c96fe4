"""Events as rows of a database's table, and the order of work that leaves each in it once or not at all.

It knows no SQL: a database inserts rows, tells the tombstones it has, and removes people.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from collector.sinks import Rejected, SinkError
from collector.sinks.columns import COLUMNS, values
from collector.sinks.tombstones import FORGET, Tombstone, read_tombstone
from collector.store.people import digests_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.sinks import Delivery

Row: TypeAlias = dict[str, Any]
COLUMN_NAMES = ("source", *(each.name for each in COLUMNS), "people", "message")
KEY = ("received_at", "source", "message_id")  # the same for an event however it comes again
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,39}")


class Table(Protocol):
    """A table of events."""

    async def insert(self, rows: Sequence[Row]) -> None:
        """Add the rows whose keys are not there yet, all or none."""

    async def tombstones(self, since: datetime) -> list[Tombstone]:
        """Return the tombstones in the table that are as late as this."""

    async def remove(self, tombstones: Sequence[Tombstone]) -> None:
        """Remove the rows that any of the tombstones covers, but no tombstones."""


async def keep(table: Table, batch: Sequence[Delivery]) -> None:
    """Insert a batch, then remove what tombstones name, those that were there before it included.

    In this order an event and its tombstone may come at the same time by two processes: whichever is later
    in the table sees the other one.
    """
    rows = [read_row(each) for each in batch]
    own = {Tombstone(frozenset(row["people"]), row["received_at"]) for row in rows if row["type"] == FORGET}
    await table.insert(rows)
    everybody = frozenset().union(*(row["people"] for row in rows))
    there = await table.tombstones(min(row["received_at"] for row in rows))
    if due := [each for each in there if each in own or _covers_one(each, rows, everybody)]:
        await table.remove(due)


def table_name(name: str) -> str:
    """Return the name of a table that needs no quoting. Raises SinkError."""
    if not _NAME.fullmatch(name):
        raise SinkError(f"{name!r} is no name of a table: small letters, digits and _, 40 at most.")
    return name


def read_row(delivery: Delivery) -> Row:
    """Return a delivery as a row. What lacks an id or a time is known by its entry. Raises Rejected."""
    try:
        row = values(delivery.event) | {"source": delivery.source, "type": delivery.type}
    except ValueError as error:
        raise Rejected(f"It cannot be read: {error}") from None
    row["message_id"] = row["message_id"] or f"{delivery.key} {delivery.entry}"
    row["received_at"] = row["received_at"] or _added_at(delivery)
    row["people"] = _people(delivery)
    row["message"] = delivery.event.decode()
    return row


def _people(delivery: Delivery) -> list[int]:
    if delivery.type == FORGET:
        return sorted(read_tombstone(delivery.event).people)
    return sorted(digests_in(delivery.event))


def _added_at(delivery: Delivery) -> datetime:
    return datetime.fromtimestamp(int(delivery.entry.partition("-")[0]) / 1000, UTC)


def _covers_one(tombstone: Tombstone, rows: Sequence[Row], everybody: frozenset[int]) -> bool:
    return not tombstone.people.isdisjoint(everybody) and any(
        tombstone.covers(row["people"], row["received_at"]) for row in rows if row["type"] != FORGET
    )
