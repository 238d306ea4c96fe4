"""One tracker in one scenario: a server of its own, both the site and the backend, and a visitor."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from benchmarks.peers.understood import PREFIX, events, views
from tests.browser.street import Door

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from playwright.async_api import Browser, BrowserContext, Page

    from benchmarks.peers.built import Built

_SITE, _BACKEND = "localhost", "127.0.0.1"
_START_SECONDS = 5
# Where the script stands that starts a tracker whose file does not start by itself.
START = "/start.js"


@dataclass(slots=True)
class Request:
    """What came to the backend, and how many bytes it was on the wire."""

    method: str
    path: str
    size: int


class Backend:
    """The site at localhost and the backend at 127.0.0.1: another origin and another site."""

    def __init__(self, built: Built) -> None:
        self.built = built
        self.faults: deque[tuple[int, dict[str, str]]] = deque()
        self.requests: list[Request] = []
        self.arrived: list[tuple[str, str | None]] = []
        self.views = 0
        self.door = Door(self._handle)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.read()
        except ConnectionError:  # the page went while it was sending: nothing has arrived
            return web.Response()
        if request.host.startswith(_SITE):
            return self._page(request.path)
        if request.path in {self.built.path, START}:
            code = self.built.code if request.path == self.built.path else self.built.after.encode()
            return web.Response(body=code, content_type="text/javascript", headers=_cors(request))
        self.requests.append(Request(request.method, request.path, _size(request, body)))
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=_cors(request))
        found = list(events(request.query_string, body))
        if found and self.faults:
            status, headers = self.faults.popleft()
            return web.Response(status=status, headers=_cors(request) | headers)
        self.arrived += found
        self.views += views(request.path, request.query_string, body, self.built.view)
        return self._answer(request)

    def _answer(self, request: web.Request) -> web.Response:
        status, said = next(
            answer for path, answer in self.built.answers.items() if request.path.startswith(path)
        )
        if isinstance(said, str):
            return web.Response(status=status, text=said or None, headers=_cors(request))
        return web.json_response(said, status=status, headers=_cors(request))

    def _page(self, path: str) -> web.Response:
        address = f"http://{_BACKEND}:{self.door.port}"
        tags = f"<script>const COLLECT='{address}';{self.built.before}</script>"
        for script in (self.built.path, START) if self.built.after else (self.built.path,):
            tags += f"<script src='{address}{script}'></script>"
        head = f"<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><title>{path}</title>"
        return web.Response(text=head + ("" if path == "/plain" else tags), content_type="text/html")


@dataclass(slots=True)
class Cell:
    """The means of a scenario."""

    backend: Backend
    visitor: BrowserContext
    sent: list[str] = field(default_factory=list)
    strangers: set[str] = field(default_factory=set)

    def url(self, path: str) -> str:
        """Return the address of a page of the site."""
        return f"http://{_SITE}:{self.backend.door.port}/{path}"

    async def open(self, path: str = "one") -> Page:
        """Open a page and wait for its tracker, and its first view where that is sent at once."""
        page, before = await self.visitor.new_page(), self.backend.views
        await page.goto(self.url(path))
        await page.wait_for_function("() => window.send")
        await self.until(lambda: self.backend.views > before, _START_SECONDS)
        return page

    async def send(self, page: Page, count: int = 1, size: int = 0, then: str = "") -> None:
        """Send events with ``size`` bytes of properties, and in the same breath do ``then``."""
        names = [f"{PREFIX}{len(self.sent) + number}" for number in range(count)]
        self.sent += names
        script = f"([names, text]) => {{ names.forEach(name => void send(name, {{text}})); {then} }}"
        await page.evaluate(script, [names, "x" * size])

    async def until(self, look: Callable[[], bool], seconds: float) -> None:
        """Wait until ``look()`` is true, no longer than ``seconds``: never is a result too."""
        end = time.monotonic() + seconds
        while not look() and time.monotonic() < end:  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.05)

    def all_arrived(self) -> bool:
        """Tell whether every event sent is with the backend."""
        return set(self.sent) <= {name for name, _ in self.backend.arrived}


@asynccontextmanager
async def cell(browser: Browser, built: Built) -> AsyncIterator[Cell]:
    """Yield a cell with a fresh visitor; every host other than the two of this machine is written down."""
    backend = Backend(built)
    await backend.door.open()
    visitor = await browser.new_context(user_agent=_user_agent(browser))
    made = Cell(backend, visitor)
    visitor.on("request", lambda request: _look(made, request.url))
    try:
        yield made
    finally:
        await visitor.close()
        await backend.door.close()


def _look(made: Cell, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme.startswith("http") and parts.hostname not in {_SITE, _BACKEND}:
        made.strangers.add(str(parts.hostname))


def _user_agent(browser: Browser) -> str:
    """Return what a visitor's browser says; several peers pass over one that says it is automated."""
    chrome = f"Chrome/{browser.version.split('.')[0]}.0.0.0"
    return f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) {chrome} Safari/537.36"


def _size(request: web.Request, body: bytes) -> int:
    line = len(f"{request.method} {request.raw_path} HTTP/1.1\r\n\r\n")
    return line + sum(len(key) + len(value) + 4 for key, value in request.raw_headers) + len(body)


def _cors(request: web.Request) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": request.headers.get("Origin", "*"),
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Headers": request.headers.get("Access-Control-Request-Headers", "*"),
        "Access-Control-Allow-Methods": "GET, POST, PUT",
        "Access-Control-Expose-Headers": "Retry-After",
    }
