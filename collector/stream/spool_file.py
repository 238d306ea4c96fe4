"""One spool file: parcels of records in SQLite, in order. Every call blocks; it belongs to one thread."""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from collector.stream.append import Mark, Record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS parcels (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: Redis remembers the last one it took
  partition INTEGER NOT NULL, writer TEXT, number INTEGER,
  at REAL NOT NULL, events INTEGER NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL,
  aside INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS parcels_order ON parcels (partition, id) WHERE NOT aside;
"""
# Under new ids: Redis has taken later ones of this file meanwhile.
_TRY_AGAIN = """
BEGIN;
INSERT INTO parcels (partition, writer, number, at, events, checksum, data)
  SELECT partition, writer, number, at, events, checksum, data FROM parcels WHERE aside;
DELETE FROM parcels WHERE aside;
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Records of one partition that were or would have been appended as one group.

    ``mark`` is set when they were sent to Redis and the answer was lost.
    """

    partition: int
    at: float
    events: int
    data: bytes
    mark: Mark | None = None
    id: int = 0


class SpoolFile:
    """A file that this process alone holds, by SQLite's own lock. Raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = path.stem
        self._done: dict[int, int] = {}
        self.drained = False
        self._db = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
        try:
            self._prepare()
        except sqlite3.Error:
            self._db.close()
            raise

    def _prepare(self) -> None:
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA + _TRY_AGAIN)
        row = self._db.execute("SELECT COUNT(*), TOTAL(events), TOTAL(LENGTH(data)), MIN(at) FROM parcels")
        self.parcels, events, size, self.oldest_at = row.fetchone()
        self.events, self.bytes = int(events), int(size)

    def put(self, parcel: Parcel) -> None:
        """Add a parcel; it is on disk when this returns."""
        mark = parcel.mark
        self._db.execute(
            "INSERT INTO parcels (partition, writer, number, at, events, checksum, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                parcel.partition,
                mark and mark.writer,
                mark and mark.last,
                parcel.at,
                parcel.events,
                zlib.crc32(parcel.data),
                parcel.data,
            ),
        )
        self._count(1, parcel.events, len(parcel.data))
        self.oldest_at = self.oldest_at or parcel.at

    def partitions(self) -> list[int]:
        """Return the partitions that parcels wait for."""
        rows = self._db.execute("SELECT DISTINCT partition FROM parcels WHERE NOT aside")
        return [row[0] for row in rows]

    def oldest(self, partition: int, most_events: int, most_bytes: int) -> list[Parcel]:
        """Return the oldest parcels of a partition that go together: the first is always among them."""
        found: list[Parcel] = []
        rows = self._db.execute(
            "SELECT id, writer, number, at, events, checksum, data FROM parcels"
            " WHERE partition = ? AND id > ? AND NOT aside ORDER BY id",
            (partition, self._done.get(partition, 0)),
        )
        for number, writer, last, at, events, checksum, data in rows:
            mark = Mark(writer, last, last) if writer else None
            most_events -= events
            most_bytes -= len(data)
            if found and (mark or found[0].mark or most_events < 0 or most_bytes < 0):
                break
            if zlib.crc32(data) != checksum:
                raise DamagedParcel(number)
            found.append(Parcel(partition, at, events, data, mark, number))
        rows.close()
        return found

    def after(self, parcel_id: int) -> list[Parcel]:
        """Return the next few sound parcels of any partition, those that were set aside too."""
        rows = self._db.execute(
            "SELECT id, partition, at, events, checksum, data FROM parcels WHERE id > ? ORDER BY id LIMIT 20",
            (parcel_id,),
        )
        return [
            Parcel(partition, at, events, data if zlib.crc32(data) == checksum else b"[]", id=number)
            for number, partition, at, events, checksum, data in rows
        ]

    def remove(self, parcels: Sequence[Parcel]) -> None:
        """Forget a partition's oldest parcels.

        On a full disk they stay in the file for now, but they are not given again.
        """
        for parcel in parcels:
            self._count(-1, -parcel.events, -len(parcel.data))
        last = parcels[-1]
        self._done[last.partition] = last.id
        self._db.execute(
            "DELETE FROM parcels WHERE partition = ? AND id <= ? AND NOT aside", (last.partition, last.id)
        )
        self.drained = not self.parcels
        row = self._db.execute("SELECT at FROM parcels ORDER BY id LIMIT 1").fetchone()
        self.oldest_at = row[0] if row else None

    def set_aside(self, parcel_id: int) -> None:
        """Leave a parcel out until the file is opened again."""
        self._db.execute("UPDATE parcels SET aside = 1 WHERE id = ?", (parcel_id,))

    def close(self) -> None:
        """Let go of the file; one without parcels is deleted."""
        self._db.close()
        if not self.parcels:
            self.path.unlink(missing_ok=True)

    def _count(self, parcels: int, events: int, size: int) -> None:
        self.parcels += parcels
        self.events += events
        self.bytes += size


class DamagedParcel(Exception):  # noqa: N818 - named for what it is
    """A parcel whose bytes are not those that were written."""

    def __init__(self, parcel_id: int) -> None:
        super().__init__(parcel_id)
        self.id = parcel_id


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether the file itself is broken, and not the disk full or the file in use."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def pack(records: Sequence[Record]) -> bytes:
    """Return records as the data of a parcel."""
    rows = [(r.visitor, r.stream, r.source, r.type, r.id, r.window, r.data.decode()) for r in records]
    return orjson.dumps(rows)


def unpack(data: bytes) -> list[Record]:
    """Return the records of a parcel's data."""
    rows = orjson.loads(data)
    return [
        Record(visitor, stream, source, kind, event_id, window, event.encode())
        for visitor, stream, source, kind, event_id, window, event in rows
    ]
