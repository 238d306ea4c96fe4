"""Batches as files: named after their first and last entry, complete or not there, each event in one of them.

The name is the offset: what is delivered again is looked for in the files whose range it falls into. A file
holds entries of one partition and one day, so these are few.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import zlib
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import orjson

from collector.sinks import Rejected
from collector.sinks.tombstones import FORGET, read_tombstone
from collector.store.people import digests_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

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


class BatchFolder:
    """A folder of batches. Several processes may write to it. Methods block; all raise OSError."""

    def __init__(self, root: Path, form: Form) -> None:
        self._root = root
        self._form = form

    def check(self) -> None:
        """Raise OSError unless the folder can be written to."""
        with self._locked():
            return

    def write(self, batch: Sequence[Delivery]) -> None:
        """Add what is not there yet, then remove what the batch's tombstones name."""
        tombstones = [read_tombstone(each.event) for each in batch if each.type == FORGET]
        files: dict[tuple[str, str], list[Delivery]] = {}
        for each in batch:
            place = self._form.place(_day(each), each.source)
            files.setdefault((place, _stem(each.key)), []).append(each)
        with self._locked():
            for (place, stem), deliveries in files.items():
                self._add(self._root / place, stem, deliveries)
            self._forget(tombstones)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _add(self, folder: Path, stem: str, deliveries: Sequence[Delivery]) -> None:
        by_entry = {_entry(each): each.event for each in deliveries}
        there = self._there(folder, stem, min(by_entry), max(by_entry))
        new = {entry: event for entry, event in sorted(by_entry.items()) if event not in there}
        if not new:
            return
        first, last = min(new), max(new)
        name = f"{stem}-{first[0]}-{first[1]}_{last[0]}-{last[1]}{self._form.suffix}"
        try:
            content = self._form.pack(list(new.values()))
        except ValueError as error:
            raise Rejected(f"It cannot be written: {error}.") from None
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / name, content)

    def _there(self, folder: Path, stem: str, first: Entry, last: Entry) -> set[bytes]:
        """Return the events of the files whose ranges meet this one."""
        events: set[bytes] = set()
        for path in folder.glob(f"{stem}-*{self._form.suffix}"):
            low, high = _range(path.name)
            if low <= last and first <= high:
                events.update(self._read(path))
        return events

    def _read(self, path: Path) -> list[bytes]:
        try:
            return self._form.unpack(path.read_bytes())
        except (ValueError, EOFError, zlib.error) as error:
            raise OSError(f"{path} is broken ({error}): move it away.") from None

    def _forget(self, tombstones: Sequence[Tombstone]) -> None:
        if not tombstones:
            return
        for path in self._root.rglob(f"*{self._form.suffix}"):
            events = self._read(path)
            kept = [event for event in events if not _covered(event, tombstones)]
            if not kept:
                path.unlink()
            elif len(kept) < len(events):
                _replace(path, self._form.pack(kept))


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


def _covered(event: bytes, tombstones: Sequence[Tombstone]) -> bool:
    people = digests_in(event)
    if all(each.people.isdisjoint(people) for each in tombstones):
        return False
    fields = orjson.loads(event)
    received = datetime.fromisoformat(fields["receivedAt"])
    return fields["type"] != FORGET and any(each.covers(people, received) for each in tombstones)


def _replace(path: Path, content: bytes) -> None:
    """Put a file in place, whole and on disk, or leave all as it was."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _entry(delivery: Delivery) -> Entry:
    ms, _, sequence = delivery.entry.partition("-")
    return int(ms), int(sequence)


def _day(delivery: Delivery) -> str:
    return datetime.fromtimestamp(_entry(delivery)[0] / 1000, UTC).date().isoformat()


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
