"""Batches as files: named after their first and last entry, complete or not there, each event in one of them.

The name is the offset: what is delivered again is looked for in the files whose range it falls into. A file
holds entries of one partition and one day, so these are few.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from collector.sinks import Rejected
from collector.sinks.columns import values
from collector.sinks.messages import readable
from collector.sinks.tombstones import FORGET, read_tombstone
from collector.store.people import digests_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from collector.sinks import Delivery, Limits
    from collector.sinks.tombstones import Tombstone

Entry = tuple[int, int]
_KEY = re.compile(r"\{(\d+)\}:([A-Za-z0-9_-]+)$")
_RANGE = re.compile(r"-(\d+)-(\d+)_(\d+)-(\d+)\.")


class Form(Protocol):
    """How a file is written: its suffix, its place below the folder, and the events in it."""

    suffix: str

    def place(self, day: str, source: str) -> str:
        """Return the folder of a day's events of a source."""

    def pack(self, events: Sequence[bytes]) -> bytes:
        """Return the content of a file."""

    def unpack(self, content: bytes) -> list[bytes]:
        """Return the events in a file, as they were packed."""


class Store(Protocol):
    """Where the files are; paths are relative. Everything raises OSError, and ``held`` SinkError."""

    def held(self) -> AbstractContextManager[None]:
        """See that it can be used, and keep other processes out meanwhile if they can be."""

    def list(self, folder: str = "") -> Iterator[str]:
        """Yield the paths of all files below a folder."""

    def read(self, path: str) -> bytes:
        """Return what is in a file."""

    def put(self, path: str, content: bytes) -> None:
        """Put a file in place, whole or not at all."""

    def remove(self, path: str) -> None:
        """Remove a file."""


class BatchFolder:
    """A folder of batches. Methods block."""

    def __init__(self, store: Store, form: Form) -> None:
        self._store = store
        self._form = form

    def check(self) -> None:
        """Raise OSError or SinkError unless the folder can be written to."""
        with self._store.held():
            return

    def write(self, batch: Sequence[Delivery]) -> None:
        """Add what is not there yet, then remove what the batch's tombstones name."""
        tombstones = [read_tombstone(each.event) for each in batch if each.type == FORGET]
        files: dict[tuple[str, str], list[Delivery]] = {}
        for each in batch:
            readable(each)
            place = self._form.place(_day(each), each.source)
            files.setdefault((place, _stem(each.key)), []).append(each)
        with self._store.held():
            for (place, stem), deliveries in files.items():
                self._add(place, stem, deliveries)
            self._forget(tombstones)

    def _add(self, folder: str, stem: str, deliveries: Sequence[Delivery]) -> None:
        by_entry = {_entry(each): each.event for each in deliveries}
        there = self._there(folder, stem, min(by_entry), max(by_entry))
        new = {entry: event for entry, event in sorted(by_entry.items()) if event not in there}
        if not new:
            return
        first, last = min(new), max(new)
        name = f"{stem}-{first[0]}-{first[1]}_{last[0]}-{last[1]}{self._form.suffix}"
        try:
            content = self._form.pack(list(new.values()))
        except (ValueError, OverflowError) as error:
            raise Rejected(f"It cannot be written: {error}.") from None
        self._store.put(f"{folder}/{name}", content)

    def _there(self, folder: str, stem: str, first: Entry, last: Entry) -> set[bytes]:
        """Return the events of the files whose ranges meet this one."""
        events: set[bytes] = set()
        for path in self._files(folder, f"{stem}-"):
            low, high = _range(path)
            if low <= last and first <= high:
                events.update(self._read(path))
        return events

    def _files(self, folder: str = "", start: str = "") -> list[str]:
        return [
            path
            for path in self._store.list(folder)
            if path.endswith(self._form.suffix) and path.rpartition("/")[2].startswith(start)
        ]

    def _read(self, path: str) -> list[bytes]:
        content = self._store.read(path)
        try:
            return self._form.unpack(content)
        except (ValueError, EOFError, OSError, zlib.error) as error:
            raise OSError(f"{self._store}/{path} is broken ({error}): move it away.") from None

    def _forget(self, tombstones: Sequence[Tombstone]) -> None:
        for path in self._files() if tombstones else ():
            events = self._read(path)
            added = _moment(_range(path)[0])
            kept = [event for event in events if not _covered(event, added, tombstones)]
            if not kept:
                self._store.remove(path)
            elif len(kept) < len(events):
                self._store.put(path, self._form.pack(kept))


class FileSink:
    """A folder of batches as a sink."""

    def __init__(self, folder: BatchFolder, limits: Limits) -> None:
        self._folder = folder
        self.limits = limits

    async def write(self, batch: Sequence[Delivery]) -> None:
        """Write a batch."""
        await asyncio.to_thread(self._folder.write, batch)

    async def healthy(self) -> None:
        """Raise OSError when the folder cannot be written to."""
        await asyncio.to_thread(self._folder.check)


def _covered(event: bytes, added: datetime, tombstones: Sequence[Tombstone]) -> bool:
    """Tell whether a tombstone covers an event, which without a time is as old as its file's first entry."""
    people = digests_in(event)
    if all(each.people.isdisjoint(people) for each in tombstones):
        return False
    fields: dict[str, Any] = {}
    with suppress(ValueError):  # older files may hold what is no event
        fields = values(event)
    received = fields.get("received_at") or added
    return fields.get("type") != FORGET and any(each.covers(people, received) for each in tombstones)


def _entry(delivery: Delivery) -> Entry:
    ms, _, sequence = delivery.entry.partition("-")
    return int(ms), int(sequence)


def _day(delivery: Delivery) -> str:
    return _moment(_entry(delivery)).date().isoformat()


def _moment(entry: Entry) -> datetime:
    return datetime.fromtimestamp(entry[0] / 1000, UTC)


def _stem(key: str) -> str:
    match = _KEY.search(key)
    if match is None:
        raise ValueError(f"{key!r} is no stream of events.")
    return f"{match[2]}-{match[1]}"


def _range(name: str) -> tuple[Entry, Entry]:
    match = _RANGE.search(name)
    if match is None:
        raise OSError(f"{name} is no file of this sink.")
    low_ms, low, high_ms, high = map(int, match.groups())
    return (low_ms, low), (high_ms, high)
