"""``python -m benchmarks.day``: a day's traffic in some fifty seconds, judged by what was acknowledged.

Visitors come and come back, bots among them, by the curve of a day: beacons of one to five events, pixels,
and clicks on mails' links. Every event that an answer acknowledged must be in the stream, once.
Needs nothing but the server that the collector brings.
"""

from __future__ import annotations

import asyncio
import math
import random
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import orjson
from redis.asyncio import Redis
from yarl import URL

from benchmarks.contender import headwater
from benchmarks.process import cpu_seconds, memory_bytes
from benchmarks.report import put
from collector.cli.context import opened
from collector.links import Mark
from collector.protocols.ids import uuid7
from collector.selftest.judge import Seen, judge
from collector.settings import Settings
from collector.sources import check_form
from collector.sources.email import signer
from collector.store import Names
from collector.store.embedded import embedded_server
from collector.tasks import running

if TYPE_CHECKING:
    from benchmarks.contender import Contender
    from collector.links import Signer

PAGE = "scale.md"
_HOURS, _HOUR_SECONDS = 24, 2.0
_HITS_A_SECOND, _SWING, _PEAK_HOUR = 150, 0.8, 20
_BACK, _BOTS = 0.6, 0.2  # shares of hits: by a visitor who was there before, and by a bot
_KINDS = {"beacon": 0.7, "pixel": 0.2, "click": 0.1}
_AT_ONCE = 64
_PATIENCE_SECONDS = 30
_PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"
_BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_CLICK = "hit"  # the parameter that tells a link's target the click's id


@dataclass(slots=True)
class _Day:
    """Where hits go, who has been there, and the ids that were acknowledged."""

    session: aiohttp.ClientSession
    base: str
    links: Signer
    chance: random.Random
    visitors: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    hits: int = 0
    refused: int = 0
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def visitor(self) -> str:
        """Return one who was there before, or a new one."""
        if self.visitors and self.chance.random() < _BACK:
            return self.chance.choice(self.visitors)
        self.visitors.append(f"visitor-{len(self.visitors)}")
        return self.visitors[-1]

    async def hit(self) -> None:
        """Send a hit, and note what its answer acknowledges."""
        [kind] = self.chance.choices([*_KINDS], [*_KINDS.values()])
        agent = _BOT if self.chance.random() < _BOTS else _PERSON
        ids = [uuid7(time.time_ns() // 1_000_000) for _ in range(self.chance.randint(1, 5))]
        request = {"beacon": self._beacon, "pixel": self._pixel, "click": self._click}[kind]
        method, path, body = request(ids)
        async with (
            self.room,
            self.session.request(
                method, self.base + path, data=body, headers={"User-Agent": agent}, allow_redirects=False
            ) as answer,
        ):
            self._note(kind, ids, answer)

    def _beacon(self, ids: list[str]) -> tuple[str, str, bytes | None]:
        batch = [{"type": "track", "event": "Seen", "messageId": each} for each in ids]
        return "POST", "/e/bench", orjson.dumps({"batch": batch, "anonymousId": self.visitor()})

    def _pixel(self, ids: list[str]) -> tuple[str, str, bytes | None]:
        del ids[1:]
        return "GET", f"/p/bench.gif?messageId={ids[0]}&anonymousId={self.visitor()}", None

    def _click(self, _ids: list[str]) -> tuple[str, str, bytes | None]:
        mark = Mark("spring", self.visitor(), 1, "https://shop.example/shoes")
        return "GET", f"/l/{self.links.sign('click', mark)}", None

    def _note(self, kind: str, ids: list[str], answer: aiohttp.ClientResponse) -> None:
        self.hits += 1
        if answer.status >= 400:
            self.refused += 1
        elif kind == "click":
            self.acknowledged.append(URL(answer.headers["Location"]).query[_CLICK])
        else:
            self.acknowledged += ids


def main() -> None:
    """Print the tables and put them on the page."""
    parts, verdict = asyncio.run(_run())
    put("benchmarks.day", ("hours", "hits", "events", "own µs an event", "memory MiB"), parts, page=PAGE)
    put("benchmarks.day (verdict)", ("what", "number"), verdict, page=PAGE)


async def _run() -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        async with embedded_server(folder) as url, Redis.from_url(url) as redis:
            links = await _mails(folder, url)
            async with headwater(folder, url) as ours, aiohttp.ClientSession() as session:
                base = ours.url.removesuffix("/e/bench")
                day = _Day(session, base, links, random.Random(24))  # noqa: S311 - the same day each time
                seen = Seen()
                async with running(seen.read(redis, Names(), "events", 1)):
                    parts = [await _part(day, ours, first) for first in range(0, _HOURS, 4)]
                    await seen.wait_for(set(day.acknowledged), _PATIENCE_SECONDS)
                return parts, _verdict(day, seen)


async def _mails(folder: Path, url: str) -> Signer:
    """Add the source of the mails; return what signs its links."""
    form = check_form(
        {"id": "mails", "name": "Mails", "bridge": "email", "settings": {"click_parameter": _CLICK}}
    )
    async with opened(Settings(data=folder / "headwater", redis_url=url)) as (_, _, catalogue):
        return signer(await catalogue.add(form))


async def _part(day: _Day, ours: Contender, first: int) -> tuple[str, ...]:
    """Send the hits of four hours, each when it is due or as soon after as there is room."""
    hits, events, cpu = day.hits, len(day.acknowledged), cpu_seconds(ours.pid)
    async with asyncio.TaskGroup() as group:
        for hour in range(first, first + 4):
            swing = _SWING * math.cos((hour - _PEAK_HOUR) / _HOURS * 2 * math.pi)
            number = round(_HITS_A_SECOND * _HOUR_SECONDS * (1 + swing))
            for _ in range(number):
                group.create_task(day.hit())
                await asyncio.sleep(_HOUR_SECONDS / number)
    new = len(day.acknowledged) - events
    cost = (cpu_seconds(ours.pid) - cpu) / new * 1e6
    memory = f"{memory_bytes(ours.pid) / 1024**2:.0f}"
    return (f"{first}-{first + 4}", f"{day.hits - hits:,}", f"{new:,}", f"{cost:.0f}", memory)


def _verdict(day: _Day, seen: Seen) -> list[tuple[str, ...]]:
    verdict = judge(day.acknowledged, seen)
    found = {
        "visitors": len(day.visitors),
        "hits refused": day.refused,
        "events acknowledged": verdict.acknowledged,
        "of them not in the stream": verdict.lost,
        "in the stream, and not acknowledged": verdict.read - (verdict.acknowledged - verdict.lost),
        "in the stream twice": verdict.twice,
    }
    return [(what, f"{number:,}") for what, number in found.items()]


if __name__ == "__main__":
    main()
