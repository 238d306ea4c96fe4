"""A scenario's stage: a source, a gate, a visitor, what was sent, and the judgement by the stream."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from redis.asyncio import Redis

from collector.tracker import snippet
from tests.browser.street import Gate, Pages, Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Browser, BrowserContext, Page

    from collector.model import Source
    from tests.conftest import Running

# Ends only a scenario that has failed. A page that died holds its events for 5 seconds.
_PATIENCE_SECONDS = 45

_NOTHING_WAITS = """() => {
  try { return !Object.keys(localStorage).some(key => key.startsWith('hw:http')) } catch { return true }
}"""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a scenario's events: their names, lost and doubled ones once for each."""

    sent: int
    arrived: int
    lost: list[str]
    doubled: list[str]


class Arrivals:
    """The events in the stream by source, followed live."""

    def __init__(self) -> None:
        self._by_source: dict[str, list[dict[str, Any]]] = {}

    def of(self, source: str) -> list[dict[str, Any]]:
        """Return the events of a source, in order."""
        return self._by_source.setdefault(source, [])

    async def follow(self, running: Running) -> None:
        """Read what is appended, until cancelled."""
        stream, last = running.names.stream(0, "events"), b"0"
        async with Redis.from_url(running.settings.redis_url, protocol=2) as client:
            while True:
                for _, entries in await client.xread({stream: last}, block=500):
                    for entry, fields in entries:
                        last = entry
                        event = orjson.loads(fields[b"event"])
                        self.of(event["source"]["id"]).append(event)


@dataclass(slots=True)
class World:
    """What all scenarios share: the collector, the site, the browser and the stream."""

    running: Running
    site: Site
    browser: Browser
    persistent: Callable[[str], AbstractAsyncContextManager[BrowserContext]]
    arrivals: Arrivals

    @asynccontextmanager
    async def stage(self, name: str) -> AsyncIterator[Stage]:
        """Yield a stage with a source, a gate and a visitor of its own."""
        source = await self.running.add(name=name, privacy={"parameters": ["page"]})
        gate = Gate(self.running.public)
        await gate.door.open()
        self.site.pages[source.id] = Pages(snippet(source, gate.address))
        context = await self.browser.new_context()
        try:
            yield Stage(self, source, gate, context)
        finally:
            await context.close()
            await gate.door.close()


@dataclass(slots=True)
class Stage:
    """One scenario's means: open pages, send events, wait for them. Every name sent is written down."""

    world: World
    source: Source
    gate: Gate
    visitor: BrowserContext
    sent: list[str] = field(default_factory=list)

    @property
    def pages(self) -> Pages:
        """What the site serves in this scenario."""
        return self.world.site.pages[self.source.id]

    @property
    def events(self) -> list[dict[str, Any]]:
        """What is in the stream."""
        return self.world.arrivals.of(self.source.id)

    def url(self, path: str) -> str:
        """Return the address of one of the site's pages."""
        return f"{self.world.site.origin}/{self.source.id}/{path}"

    async def open(self, path: str = "one", visitor: BrowserContext | None = None) -> Page:
        """Open a page in a new tab and wait for its tracker; its view counts as sent."""
        page = await (visitor or self.visitor).new_page()
        await self.go(page, path)
        return page

    async def go(self, page: Page, path: str) -> None:
        """Lead a tab to a page and wait for its tracker."""
        self.sent.append(f"page {path}")
        await page.goto(self.url(path))
        await page.wait_for_function(
            "() => window.headwater?.flush && Object.keys(headwater).some(key => key.startsWith('http'))"
        )

    async def track(self, page: Page, *names: str, size: int = 0, then: str = "") -> None:
        """Send events with ``size`` bytes of properties, and in the same breath do ``then``."""
        self.sent += names
        send = "headwater('track', name, {text: 'x'.repeat(size)})"
        script = f"([names, size]) => {{ names.forEach(name => void {send}); {then} }}"
        await page.evaluate(script, [names, size])

    async def arrived(self, *names: str) -> None:
        """Wait until the names are in the stream, as often as they are given here."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while Counter(names) - Counter(map(self.name, self.events)):
            if time.monotonic() > end:
                return
            await asyncio.sleep(0.05)

    async def judge(self, visitor: BrowserContext | None = None) -> Row:
        """Let another page of the site clear up what is left, then compare what was sent with the stream."""
        page = await self.open("last", visitor)
        await self.arrived(*self.sent)
        await self._nothing_waits(page)
        sent, arrived = Counter(self.sent), Counter(map(self.name, self.events))
        lost, doubled = sent - arrived, arrived - sent
        return Row(
            sent.total(), (sent & arrived).total(), sorted(lost.elements()), sorted(doubled.elements())
        )

    def name(self, event: dict[str, Any]) -> str:
        """Return what a scenario calls an event: its name, or the page that was viewed."""
        if event["type"] != "page":
            return str(event["event"])
        return "page " + event["context"]["page"]["url"].split(f"/{self.source.id}/")[-1]

    async def _nothing_waits(self, page: Page) -> None:
        """Wait until no page keeps a copy that could be sent again; where storage is denied there is none."""
        await page.wait_for_function(_NOTHING_WAITS, timeout=_PATIENCE_SECONDS * 1000)
