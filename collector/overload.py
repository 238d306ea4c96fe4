"""Load shedding: when answers come late, bots are refused first, then anonymous repeat hits, then all.

``next_stage`` and ``is_drawn`` decide, and are pure. Overload looks how late this worker's loop is, and
remembers who has come. A slow Redis is no overload: the spool is there for that.
"""

from __future__ import annotations

import asyncio
import random
import time
from enum import IntEnum
from typing import TYPE_CHECKING
from zlib import crc32

import structlog

from collector import metrics
from collector.enrich.bots import is_a_bots
from collector.model import BROWSER_BRIDGES, Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.model import Event, Hit
    from collector.protocols import Batch
    from collector.settings import Settings

log = structlog.get_logger()

_LOOK_SECONDS = 0.25
_CALM = 0.5  # late by less than this share of the limit is not late any more
_MOST_SEEN = 100_000
_SEEN_SECONDS = 60
_RETRY_AFTER_SECONDS = range(5, 16)  # spread, so that they do not all come back at once


class Stage(IntEnum):
    """Whose hits are refused; each stage refuses those of the stages before it, too."""

    NOBODY = 0
    BOTS = 1
    REPEATS = 2
    ALL = 3


def next_stage(stage: Stage, before: float, late: float, limit: float) -> Stage:
    """Return the stage after two looks at how late answers are, all in seconds; one late look is a hiccup."""
    if limit and min(before, late) >= limit:
        return Stage(min(stage + 1, Stage.ALL))
    if max(before, late) < limit * _CALM or not limit:
        return Stage(max(stage - 1, Stage.NOBODY))
    return stage


def is_drawn(event_id: str, share: float) -> bool:
    """Tell whether an event is in a sample of that share of 1: always the same, however often it is sent."""
    return crc32(event_id.encode()) < share * 2**32


def retry_after() -> int:
    """Return the seconds that a sender is told to wait."""
    return random.choice(_RETRY_AFTER_SECONDS)  # noqa: S311 - no secret


class Overload:
    """What a worker sheds at the moment. While it is not late, this costs a hit two comparisons."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = settings.overload_ms / 1000
        self._share = settings.overload_sample
        self._now = now
        self._before = 0.0
        self._seen: dict[int, float] = {}
        self.stage = Stage.NOBODY

    async def run(self) -> None:
        """Look until cancelled: the loop is late by as much as this sleep ends late."""
        while True:
            due = self._now() + _LOOK_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
            self.look(self._now() - due)

    def look(self, late: float) -> None:
        """Take a step after a look; ``late`` is in seconds."""
        stage = next_stage(self.stage, self._before, late, self._limit)
        self._before = late
        if stage == self.stage:
            return
        log.warning("overload", sheds=stage.name.lower(), late_ms=round(late * 1000))
        self.stage = stage
        metrics.OVERLOAD.set(stage)
        if stage is Stage.NOBODY:
            self._seen.clear()

    def admit(self, hit: Hit) -> None:
        """Raise Refusal overloaded for a hit that is shed before it is read."""
        if self.stage is Stage.NOBODY or hit.source.bridge == "queue":  # a broker keeps what is not fetched
            return
        if self.stage is Stage.ALL or (_of_a_browser(hit) and is_a_bots(hit.headers.get("User-Agent", ""))):
            raise Refusal(Reason.OVERLOADED, retry_after=retry_after())

    def thin(self, batch: Batch, hit: Hit) -> None:
        """Shed the hit of an anonymous visitor who has just been here.

        With ``overload_sample`` a share of its events is kept, and says so. Raises Refusal overloaded.
        """
        if self.stage < Stage.REPEATS or not _of_a_browser(hit) or _identified(batch):
            return
        if not self._came_before(hit):
            return
        if not self._share:
            raise Refusal(Reason.OVERLOADED, retry_after=retry_after())
        batch.sampled = self._share
        batch.set_apart([self._draw(event) for event in batch.events])

    def _draw(self, event: Event) -> Refusal | None:
        return None if is_drawn(event.id, self._share) else Refusal(Reason.SAMPLED)

    def _came_before(self, hit: Hit) -> bool:
        """Tell whether the address and program of a hit have sent another one within the last minute."""
        who = hash((hit.source.id, hit.address, hit.headers.get("User-Agent")))
        now = self._now()
        if now - self._seen.get(who, -_SEEN_SECONDS) < _SEEN_SECONDS:
            return True
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen[who] = now
        return False


def _of_a_browser(hit: Hit) -> bool:
    return hit.source.bridge in BROWSER_BRIDGES or "Origin" in hit.headers


def _identified(batch: Batch) -> bool:
    return any(event.message.get("userId") for event in batch.events)
