"""Count what passes, in memory, and write the sums to Redis once a second: each sum once, from every worker.

Nothing here is in an event's way: a Redis that is away is waited for, within a limit of memory.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from redis.exceptions import NoScriptError, RedisError

from collector.model import KEPT
from collector.stats.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.model import Event, Outcome, Refusal
    from collector.store import Names, Redis

log = structlog.get_logger()

NOBODY = "-"  # stands for a source in the counts of hits that found none
_SCRIPT = (Path(__file__).parent / "count.lua").read_text(encoding="utf-8")
_SHA = sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
_EVERY_SECONDS = 1
_MOST_HELD = 200_000  # numbers and names that wait for Redis


@dataclass(frozen=True, slots=True)
class _Parcel:
    """Sums on their way: the number of the writer tells Redis whether it has them."""

    source: str
    size: int
    data: bytes


class Counters:
    """The sums of this process since they were last written."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self._redis = redis
        self._names = names
        self._writer = secrets.token_hex(8)
        self._number = 0
        self._tallies: dict[str, Tally] = {}
        self._since = 0
        self._parcels: deque[_Parcel] = deque()
        self._sending = asyncio.Lock()

    def events(self, source: str, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        """Count the events of a hit by what became of them."""
        tally = self._tally(source)
        kept = [event for event, outcome in zip(events, outcomes, strict=False) if outcome.verdict in KEPT]
        tally.events(kept)
        if len(kept) == len(outcomes):
            return
        for outcome in outcomes:
            if outcome.verdict not in KEPT:
                tally.count(outcome.verdict)

    def refused(self, source: str, refusal: Refusal) -> None:
        """Count a refusal with its reason; one that the source itself wants is a dropped event."""
        tally = self._tally(source or NOBODY)
        tally.count("dropped" if refusal.dropped else "refused")
        tally.top("reasons", refusal.reason.code)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits; what Redis does not take is tried again, and the oldest goes beyond the limit."""
        async with self._sending:
            minute = int(time.time() // 60)
            if (
                not self._parcels or minute != self._since
            ):  # while Redis is away: a parcel a minute, not a second
                self._since = minute
                self._pack(int(time.time()))
            try:
                while self._parcels:
                    await self._send(self._parcels[0])
                    self._parcels.popleft()
            except (RedisError, OSError):
                self._shed()

    def _tally(self, source: str) -> Tally:
        if source not in self._tallies:
            self._tallies[source] = Tally()
        return self._tallies[source]

    def _pack(self, now: int) -> None:
        tallies, self._tallies = self._tallies, {}
        for source, tally in tallies.items():
            self._number += 1
            told = {
                "writer": self._writer,
                "number": self._number,
                "now": now,
                "counts": tally.counts,
                "tops": [[dimension, value, n] for (dimension, value), n in tally.tops.items()],
                "visitors": list(tally.visitors),
            }
            self._parcels.append(_Parcel(source, tally.size, orjson.dumps(told)))

    async def _send(self, parcel: _Parcel) -> None:
        key = self._names.stats(parcel.source)
        try:
            await self._call("EVALSHA", _SHA, 1, key, parcel.data)
        except NoScriptError:
            await self._call("EVAL", _SCRIPT, 1, key, parcel.data)

    async def _call(self, *command: Any) -> None:
        await self._redis.execute_command(*command)  # type: ignore[no-untyped-call]

    def _shed(self) -> None:
        held = sum(parcel.size for parcel in self._parcels)
        while held > _MOST_HELD:
            lost = self._parcels.popleft()
            held -= lost.size
            log.warning("counts_lost", source=lost.source)
