"""The examples of docs/first-party.md work: pages in a real Chromium behind nginx, Caddy and the worker."""

from __future__ import annotations

import json
import re
import socket
import tomllib
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, TCPConnector, web
from playwright.async_api import async_playwright

from collector.tracker import snippet
from tests.browser.process import ARGUMENTS, find_chromium
from tests.browser.proxies import EXAMPLES, caddy, nginx, worker
from tests.browser.street import Door
from tests.browser.test_demo import events_of
from tests.conftest import run_collector, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import BrowserContext

    from collector.settings import Settings
    from tests.browser.proxies import Proxy

PROXIES = {"nginx": nginx, "Caddy": caddy, "worker": worker}
each_proxy = pytest.mark.parametrize("name", PROXIES)

ALIAS = "news"
PRIVACY = {"visitors": "cookie", "cookie": "server", "address": "network"}
VIEW = '{"batch": [{"type": "page"}]}'
KEPT = f"__Host-hw={'a' * 32}"


@each_proxy
async def test_a_page_counts_through_its_own_host_which_keeps_tracker_and_visitor(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    async with run_collector(_trusting(settings)) as running:
        source = await running.add(settings={"aliases": [ALIAS], "token": "refuse"}, privacy=PRIVACY)
        async with PROXIES[name](tmp_path, running.parts.ports.public) as proxy, _visitor(proxy) as visitor:
            (proxy.pages / "page.html").write_text(
                '<link rel="icon" href="data:,">' + snippet(source, "/in", alias=ALIAS)
            )
            asked: list[str] = []
            visitor.on("request", lambda request: asked.append(request.url))
            page = await visitor.new_page()
            await page.goto(f"{proxy.origin}/page.html?1")
            await events_of(running, 1)
            await page.goto(f"{proxy.origin}/page.html?2")
            first, second = await events_of(running, 2)
            wire_bytes = await page.evaluate(
                "() => performance.getEntriesByType('resource')"
                ".find(({name}) => name.endsWith('.js')).transferSize"
            )
            [cookie] = await visitor.cookies()

    told = [url.removeprefix(proxy.origin) for url in asked if not url.startswith("data:")]
    paths = {
        url.split("?k=")[0] for url in told
    }  # the token passes the proxy as well, or nothing would arrive
    assert paths == {"/page.html?1", "/page.html?2", f"/in/s/{ALIAS}.js", f"/in/e/{ALIAS}"}
    assert wire_bytes == 0, "the second page did not find the tracker in the browser's cache"
    assert (cookie["name"], cookie["httpOnly"]) == ("__Host-hw", True)
    assert first["anonymousId"] == second["anonymousId"] == cookie["value"]


@each_proxy
async def test_the_event_has_the_clients_address_whatever_the_client_says(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    async with run_collector(_trusting(settings)) as running:
        source = await running.add(privacy=PRIVACY)
        async with PROXIES[name](tmp_path, running.parts.ports.public) as proxy, _client(proxy) as client:
            forged = {"X-Forwarded-For": "203.0.113.9"}
            async with client.post(f"/in/e/{source.id}", data=VIEW, headers=forged) as answer:
                assert answer.status == 204
        [event] = await running.events()

    assert event["context"]["ip"] == "127.9.8.0"


@each_proxy
@pytest.mark.parametrize(
    ("cookies", "passed"),
    [("session=secret", ""), (f"session=secret; {KEPT}; other=2", KEPT), ("__Host-hw=<script>", "")],
)
async def test_of_the_visitors_cookies_only_the_collectors_own_passes(
    tmp_path: Path, name: str, cookies: str, passed: str
) -> None:
    seen: list[web.BaseRequest] = []

    async def remember(request: web.BaseRequest) -> web.Response:
        seen.append(request)
        return web.Response()

    door = Door(remember)
    await door.open()
    async with (
        PROXIES[name](tmp_path, door.port) as proxy,
        _client(proxy) as client,
        client.post("/in/e/shop?a=1", data=VIEW, headers={"Cookie": cookies}) as answer,
    ):
        assert answer.status == 200
    await door.close()

    [request] = seen
    host = request.headers.get("X-Forwarded-Host") or request.host
    assert (request.path_qs, host) == ("/e/shop?a=1", urlsplit(proxy.origin).netloc)
    assert request.headers.get("Cookie", "") == passed


async def test_nginx_keeps_the_tracker_and_serves_it_while_the_collector_is_away(
    settings: Settings, tmp_path: Path
) -> None:
    brief = settings.model_copy(update={"tracker_seconds": 1, "tracker_stale_seconds": 600})
    async with AsyncExitStack() as collector:
        running = await collector.enter_async_context(run_collector(brief))
        path = f"/in/s/{(await running.add()).id}.js"
        async with nginx(tmp_path, running.parts.ports.public) as proxy, _client(proxy) as client:

            async def state(query: str = "") -> str:
                async with client.get(path + query) as answer:
                    assert (answer.status, (await answer.text())[:1]) == (200, "!")
                    return answer.headers["X-Cache-Status"]

            async def served_past_its_time() -> bool:
                return await state() in {"STALE", "UPDATING"}

            assert [await state(), await state("?other")] == ["MISS", "HIT"]
            await collector.aclose()
            await until(served_past_its_time)


@pytest.mark.parametrize("path", ["/s/shop.js", "/s/shop.0123456789abcdef.js", "/e/shop", "/p/shop.gif"])
def test_the_rewrites_of_vercel_and_netlify_lead_to_the_collectors_paths(path: str) -> None:
    [vercel] = json.loads((EXAMPLES / "vercel.json").read_text())["rewrites"]
    [netlify] = tomllib.loads((EXAMPLES / "netlify.toml").read_text())["redirects"]

    assert (netlify["status"], netlify["force"]) == (200, True)
    for start, wildcard, rule in [
        (vercel["source"], ":path*", vercel["destination"]),
        (netlify["from"].replace("*", ":splat"), ":splat", netlify["to"]),
    ]:
        rest = f"/in{path}".removeprefix(start.removesuffix(wildcard))
        assert rule.replace(wildcard, rest) == f"https://collect.example.com{path}"


def test_the_page_shows_the_files_as_they_are() -> None:
    page = (EXAMPLES.parent / "first-party.md").read_text()
    shown = re.findall(r"^```\w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)

    assert {file.read_text() for file in EXAMPLES.iterdir()} <= set(shown)


def _trusting(settings: Settings) -> Settings:
    return settings.model_copy(update={"trusted_proxies": ("127.0.0.1/32",)})


def _client(proxy: Proxy) -> ClientSession:
    """Return a client with an address that is not the proxy's."""
    connector = TCPConnector(local_addr=("127.9.8.7", 0), family=socket.AF_INET, ssl=False)
    return ClientSession(proxy.origin, connector=connector)


@asynccontextmanager
async def _visitor(proxy: Proxy) -> AsyncIterator[BrowserContext]:
    """Yield a browser that takes the proxy's certificate for a good one; it would cache nothing otherwise."""
    arguments = [*ARGUMENTS, f"--ignore-certificate-errors-spki-list={proxy.key}"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        yield await browser.new_context()
        await browser.close()
