"""The load: clients that send marked events in batches, and again what was not acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_LONGEST_WAIT_SECONDS = 10.0
_PAUSE_SECONDS = 0.3
_OVERLOAD = {429, 503}
# What a browser sends, so that the events are a person's.
HEADERS = {
    "Content-Type": "text/plain;charset=UTF-8",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0 headwater-selftest",
    "Accept-Language": "en",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is sent, and where: ``url`` is that of the source's beacons. Times are seconds.

    ``pause`` is what a client rests after each batch.
    """

    url: str
    events: int
    batch: int
    clients: int
    seconds: float
    pause: float = 0.0


@dataclass(slots=True)
class Sent:
    """What was sent: when each event was first, when it was acknowledged, and what else was answered."""

    at: dict[str, float] = field(default_factory=dict)
    acknowledged: dict[str, float] = field(default_factory=dict)
    answers: list[float] = field(default_factory=list)
    held_back: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def batch_of(ids: Sequence[str], visitor: str) -> bytes:
    """Return the body of a beacon with marked events."""
    items: list[dict[str, Any]] = [{"type": "track", "event": "Self-test", "messageId": each} for each in ids]
    return orjson.dumps({"batch": items, "anonymousId": visitor})


class Load:
    """The clients of one run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.sent = Sent()
        self._numbers = iter(range(plan.events))
        self._end = 0.0

    async def run(self) -> None:
        """Send what the plan says, and return when all is acknowledged or its time is over."""
        began = time.monotonic()
        self._end = began + self.plan.seconds
        connector = aiohttp.TCPConnector(limit=self.plan.clients)
        async with aiohttp.ClientSession(timeout=_TIMEOUT, headers=HEADERS, connector=connector) as session:
            await asyncio.gather(*(self._client(session, each) for each in range(self.plan.clients)))
        self.sent.seconds = time.monotonic() - began

    async def _client(self, session: aiohttp.ClientSession, number: int) -> None:
        while batch := list(itertools.islice(self._numbers, self.plan.batch)):
            ids = [f"selftest-{each}" for each in batch]
            self.sent.at.update(dict.fromkeys(ids, time.monotonic()))
            if not await self._insist(session, batch_of(ids, f"visitor-{number}")):
                return
            self.sent.acknowledged.update(dict.fromkeys(ids, time.monotonic()))
            await asyncio.sleep(self.plan.pause)

    async def _insist(self, session: aiohttp.ClientSession, body: bytes) -> bool:
        """Send a batch until it is acknowledged; tell whether it was before the time was over."""
        while wait := await self._post(session, body):
            if time.monotonic() + wait > self._end:
                return False
            await asyncio.sleep(wait)
        return True

    async def _post(self, session: aiohttp.ClientSession, body: bytes) -> float:
        """Send a batch once; return how long to wait before it is sent again, 0 when it is acknowledged."""
        began = time.monotonic()
        try:
            async with session.post(self.plan.url, data=body) as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.sent.errors[why(error)] += 1
            return _PAUSE_SECONDS
        if answer.ok:
            self.sent.answers.append(time.monotonic() - began)
            return 0
        if answer.status in _OVERLOAD:
            self.sent.held_back += 1
            return min(_LONGEST_WAIT_SECONDS, _seconds(answer.headers))
        self.sent.errors[f"{answer.status} {answer.headers.get('X-Headwater-Reason', '')}".strip()] += 1
        return _PAUSE_SECONDS


def _seconds(headers: Mapping[str, str]) -> float:
    told = headers.get("Retry-After", "")
    return float(told) if told.isdigit() and int(told) else _PAUSE_SECONDS
