"""The judge: reads a stream through a consumer group and looks for each event that was acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from collector.stream.consumer import Consumer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from collector.store import Names, Redis

GROUP = "selftest"
_LOOK_SECONDS = 0.05


@dataclass(slots=True)
class Seen:
    """What the group has read: how often each event, and when it was there first."""

    times: Counter[str] = field(default_factory=Counter)
    at: dict[str, float] = field(default_factory=dict)

    async def read(self, redis: Redis, names: Names, stream: str, partitions: int) -> None:
        """Read until cancelled."""
        async for batch in Consumer(redis, names, GROUP, stream=stream, partitions=partitions, most=1000):
            for delivery in batch:
                name = str(orjson.loads(delivery.event)["messageId"])
                self.times[name] += 1
                self.at.setdefault(name, time.monotonic())

    async def wait_for(self, ids: AbstractSet[str], seconds: float) -> None:
        """Return once all are there, or when the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.at.keys() >= ids:  # noqa: ASYNC110 - they come in hundreds
                    await asyncio.sleep(_LOOK_SECONDS)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``lost`` were acknowledged and are not in the stream; ``twice`` are there more than once."""

    acknowledged: int
    read: int
    lost: int
    twice: int


def judge(acknowledged: Collection[str], seen: Seen) -> Verdict:
    """Compare what was acknowledged with what is there."""
    lost = sum(each not in seen.at for each in acknowledged)
    twice = sum(number > 1 for number in seen.times.values())
    return Verdict(len(acknowledged), len(seen.at), lost, twice)


def delays(begun: Mapping[str, float], ended: Mapping[str, float]) -> list[float]:
    """Return the seconds from one moment to another of each event that had both."""
    return [ended[each] - at for each, at in begun.items() if each in ended]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of the values does not exceed (nearest rank); 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
