"""The import: units of an archive, in groups, through the pipeline, each group safe before the next is begun.

It waits while the stream is strained, so that live events have the spool to themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from collector.archives.opening import digest
from collector.archives.units import CUTS
from collector.model import Reason, Refusal
from collector.store import RedisError
from collector.store.positions import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from collector.archives.item import Format
    from collector.archives.opening import Opened
    from collector.archives.units import Unit
    from collector.model import Hit, Outcome, Source
    from collector.pipeline import Pipeline
    from collector.protocols import Protocol
    from collector.store.positions import Positions

_GROUP = 500
_WAIT_SECONDS = 0.2
_KEEP_SECONDS = 1.0  # what was sent since then is sent again after a crash, and is in the stream already
LEFT_OUT = "left out"


class Refused(NamedTuple):
    """A unit of which something was refused, and why."""

    unit: Unit
    refusal: Refusal


class Importer:
    """One archive on its way into a source. ``stop`` ends it after the group at hand."""

    def __init__(
        self,
        pipeline: Pipeline,
        positions: Positions,
        source: Source,
        kind: str,
        form: Format,
        *,
        site: str = "",
        refused: Callable[[Refused], None] = lambda _refused: None,
    ) -> None:
        self._pipeline = pipeline
        self._positions = positions
        self._source = source
        self._kind = kind
        self._form = form
        self._site = site
        self._refused = refused
        self._stopping = False
        self._kept_at = time.monotonic()
        self._known_as = ""
        self.waiting = False

    def stop(self) -> None:
        """End after the group at hand; another import goes on from there."""
        self._stopping = True

    async def find(self, archive: Opened) -> Position | None:
        """Return how far this archive was imported before."""
        return await self._positions.find(archive.head, lambda head: digest(self._kind, head))

    async def run(self, archive: Opened, told: Callable[[Position], Any], *, again: bool = False) -> Position:
        """Take the archive from where it was left, and return how far it is now.

        Raises ArchiveError where it breaks off; what comes before that is safe and remembered.
        """
        before = await self.find(archive)
        self._known_as = digest(self._kind, archive.head[: before.head]) if before else ""
        position = before if before and not again else Position(0)
        position.done, position.head = False, len(archive.head)
        units = self._units(archive, position.number, position.last)
        reading = _reading(units)  # the next group is inflated and cut while one is taken
        try:
            while (group := await reading) and await self._calm():
                reading = _reading(units)
                await self._take(group, position)
                if time.monotonic() - self._kept_at >= _KEEP_SECONDS:
                    await self._keep(archive, position)
                told(position)
            position.done = not group
        finally:
            await asyncio.gather(reading, return_exceptions=True)
            await self._calm(spool_empty=True)
            await self._keep(archive, position)
        return position

    def _units(self, archive: Opened, done: int, last: str) -> Iterator[Unit]:
        """Yield the units that are new, and the last one again if there is more of it now."""
        cut = CUTS[self._form.cut]
        for unit in cut(archive.chunks(), self._pipeline.settings.server_body_bytes):
            if unit.number > done or (unit.number == done and _identity(unit) != last):
                yield unit

    async def _keep(self, archive: Opened, position: Position) -> None:
        """Remember the position; while Redis is away it is not: what was sent since will be sent again."""
        self._kept_at = time.monotonic()
        name = digest(self._kind, archive.head)
        if archive.head:  # every archive begins as an empty one does
            with contextlib.suppress(RedisError, OSError):
                await self._positions.keep(name, position, instead_of=self._known_as)
                self._known_as = name

    async def _calm(self, *, spool_empty: bool = False) -> bool:
        """Wait while the stream is strained, and for the spool if asked; tell whether to go on."""
        stream = self._pipeline.stream
        while self._pipeline.strained or (spool_empty and stream.state.spool_events):
            if self._stopping:
                break
            self.waiting = True
            await asyncio.sleep(_WAIT_SECONDS)
        self.waiting = False
        return not self._stopping

    async def _take(self, group: Sequence[Unit], position: Position) -> None:
        """Make a group safe and note what became of it."""
        units, hits = self._read(group, position)
        for unit, outcomes in zip(units, await self._safe(hits), strict=True):
            for outcome in outcomes:
                position.count(outcome.verdict)
                if outcome.refusal:
                    self._note(unit, outcome.refusal, position)
        position.number, position.last = group[-1].number, _identity(group[-1])

    def _read(
        self, group: Sequence[Unit], position: Position
    ) -> tuple[list[Unit], list[tuple[Hit, Protocol]]]:
        """Return the units that hold events, with their hits."""
        now = time.time_ns() // 1_000_000
        units, hits = [], []
        for unit in group:
            try:
                if unit.refusal:
                    raise unit.refusal
                item = self._form.read(unit.raw, self._site)
            except Refusal as refusal:
                self._refuse(unit, refusal, position)
                continue
            if item is None:
                position.count(LEFT_OUT)
                continue
            units.append(unit)
            hits.append((item.hit(self._source, now, _identity(unit)), item.protocol))
        return units, hits

    def _refuse(self, unit: Unit, refusal: Refusal, position: Position) -> None:
        position.count("refused")
        self._pipeline.refuse(self._source, refusal, where=f"import, {unit.number}")
        self._note(unit, refusal, position)

    def _note(self, unit: Unit, refusal: Refusal, position: Position) -> None:
        position.count_reason(refusal.reason.code, unit.number, refusal.message)
        self._refused(Refused(unit, refusal))

    async def _safe(self, hits: Sequence[tuple[Hit, Protocol]]) -> list[list[Outcome]]:
        """Return what became of hits, however long the stream needs to take them."""
        while True:
            try:
                return await self._pipeline.take_together(self._source, hits)
            except Refusal as refusal:
                if refusal.reason is not Reason.STREAM_UNAVAILABLE:
                    raise
                await asyncio.sleep(_WAIT_SECONDS)
                await self._calm()


def _reading(units: Iterator[Unit]) -> asyncio.Future[list[Unit]]:
    """Begin to read the next group in a thread."""
    return asyncio.ensure_future(asyncio.to_thread(lambda: list(islice(units, _GROUP))))


def _identity(unit: Unit) -> str:
    """Return what the ids of a unit's events are made from: its content and its place in the archive."""
    raw = unit.raw if isinstance(unit.raw, bytes) else orjson.dumps(unit.raw)
    return blake2b(b"%d\0" % unit.number + raw, digest_size=16).hexdigest()
