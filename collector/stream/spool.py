"""The spool: a journal on local disk that takes events while Redis cannot. It knows files, not Redis.

Each worker writes a file of its own, in a thread of its own; files whose worker is gone are adopted.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import secrets
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog

from collector import metrics
from collector.stream.spool_file import DamagedParcel, Parcel, SpoolFile, is_damage, unpack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

    from collector.stream.append import Record

    Answer = TypeVar("Answer")

log = structlog.get_logger()

_SLICE_BYTES = 4 * 1024**2


class SpoolError(Exception):
    """The spool cannot take or give parcels; the message says why."""


class Spool:
    """The spool files of one worker. Every method that touches the disk leaves the event loop free."""

    def __init__(self, folder: Path, *, most_bytes: int, least_free_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._least_free_bytes = least_free_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._own: SpoolFile | None = None
        self._adopted: list[SpoolFile] = []
        self.refusing = ""

    @property
    def files(self) -> list[SpoolFile]:
        """The files that hold parcels, those of the dead first."""
        return [file for file in (*self._adopted, self._own) if file and file.parcels]

    @property
    def events(self) -> int:
        """How many events wait."""
        return sum(file.events for file in self.files)

    @property
    def bytes(self) -> int:
        """How many bytes wait."""
        return sum(file.bytes for file in self.files)

    @property
    def oldest_at(self) -> float | None:
        """When the oldest parcel was written, in seconds since 1970; None when none waits."""
        return min((file.oldest_at for file in self.files if file.oldest_at), default=None)

    async def start(self) -> None:
        """Open this worker's file. A disk that cannot be written is told of and tried again later."""
        with contextlib.suppress(SpoolError):
            await self._do(self._ensure_own)

    async def stop(self) -> None:
        """Close all files; what waits in them is adopted by the next worker."""
        await self._do(self._close_all)
        self._thread.shutdown()

    async def put(self, parcel: Parcel) -> None:
        """Return once the parcel is on disk. Raises SpoolError when there is no room for it."""
        try:
            await self._do(partial(self._put, parcel))
        except SpoolError as error:
            self.refusing = str(error)
            raise
        self.refusing = ""

    async def adopt(self) -> None:
        """Take over the files of workers that are gone, and let go of those that are empty."""
        await self._do(self._adopt)

    async def partitions(self, file: SpoolFile) -> list[int]:
        """Return the partitions that a file's parcels wait for. Raises SpoolError."""
        return await self._do(partial(self._read, file, file.partitions))

    async def oldest(self, file: SpoolFile, partition: int, most_events: int) -> list[Parcel]:
        """Return a file's oldest parcels for a partition that go together. Raises SpoolError."""
        return await self._do(partial(self._oldest, file, partition, most_events))

    async def records(self) -> AsyncIterator[Record]:
        """Yield all records that wait, file by file, oldest first. Raises SpoolError."""
        for file in self.files:
            last = 0
            while parcels := await self._do(partial(self._read, file, partial(file.after, last))):
                for parcel in parcels:
                    for record in unpack(parcel.data):
                        yield record
                last = parcels[-1].id

    async def remove(self, file: SpoolFile, parcels: Sequence[Parcel]) -> None:
        """Forget parcels that are safe elsewhere. Raises SpoolError."""
        await self._do(partial(self._read, file, partial(file.remove, parcels)))

    async def set_aside(self, file: SpoolFile, parcel: Parcel) -> None:
        """Keep a parcel that Redis takes in no way until the next start. Raises SpoolError."""
        log.error("spool_parcel_set_aside", file=str(file.path), parcel=parcel.id, events=parcel.events)
        metrics.SPOOL_DAMAGED.inc()
        await self._do(partial(self._read, file, partial(file.set_aside, parcel.id)))

    async def _do(self, work: Callable[[], Answer]) -> Answer:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as error:
            raise SpoolError(str(error)) from error

    def _put(self, parcel: Parcel) -> None:
        file = self._ensure_own()
        if file.bytes + len(parcel.data) > self._most_bytes:
            raise SpoolError("the spool is full")
        if shutil.disk_usage(self._folder).free < self._least_free_bytes:
            raise SpoolError("the disk is nearly full")
        self._read(file, partial(file.put, parcel))

    def _ensure_own(self) -> SpoolFile:
        if self._own is None:
            with self._folder_lock():
                self._own = SpoolFile(self._folder / f"{secrets.token_hex(8)}.db")
        return self._own

    def _read(self, file: SpoolFile, work: Callable[[], Answer]) -> Answer:
        """Work on a file; one that is found broken is set aside."""
        try:
            return work()
        except sqlite3.Error as error:
            if is_damage(error):
                self._set_file_aside(file.path, error)
                self._let_go(file)
            raise

    def _oldest(self, file: SpoolFile, partition: int, most_events: int) -> list[Parcel]:
        try:
            return self._read(file, partial(file.oldest, partition, most_events, _SLICE_BYTES))
        except DamagedParcel as damaged:
            log.error("spool_parcel_damaged", file=str(file.path), parcel=damaged.id)
            metrics.SPOOL_DAMAGED.inc()
            file.set_aside(damaged.id)
            return []

    def _adopt(self) -> None:
        drained = [file for file in self._adopted if not file.parcels]
        if self._own and self._own.drained and not self._own.parcels:
            drained.append(self._own)
        for file in drained:  # SQLite gives no room back to the disk; a deleted file does
            self._let_go(file)
            file.close()
        held = {file.path for file in (*self._adopted, self._own) if file}
        with self._folder_lock():
            for path in sorted(set(self._folder.glob("*.db")) - held):
                self._adopt_one(path)

    def _adopt_one(self, path: Path) -> None:
        try:
            file = SpoolFile(path)
        except sqlite3.Error as error:
            if is_damage(error):
                self._set_file_aside(path, error)
            return  # its worker lives, or the disk is sick: it is looked at again
        self._adopted.append(file)
        if file.parcels:
            log.info("spool_adopted", file=str(path), events=file.events)

    def _set_file_aside(self, path: Path, error: sqlite3.Error) -> None:
        log.error("spool_file_damaged", file=str(path), kept=f"{path}.damaged", error=str(error))
        metrics.SPOOL_DAMAGED.inc()
        for part in (path, path.with_name(path.name + "-wal")):
            with contextlib.suppress(OSError):
                part.replace(f"{part}.damaged")

    def _let_go(self, file: SpoolFile) -> None:
        if file is self._own:
            self._own = None
        else:
            self._adopted.remove(file)

    def _close_all(self) -> None:
        for file in filter(None, (*self._adopted, self._own)):
            file.close()
        self._adopted, self._own = [], None

    @contextmanager
    def _folder_lock(self) -> Iterator[None]:
        """Keep others from adopting a file in the moment between its making and its locking."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
