"""Real browser clients in Chromium, unmodified, with our settings: each event once, and no vendor asked."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
import pytest
from aiohttp import web

from collector.sources.keys import add_key
from tests.clients.faults import FAULTS, FaultyWay, faulty_way
from tests.clients.record import record
from tests.conftest import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from tests.clients.island import Island
    from tests.conftest import Running

PAGES = Path(__file__).parent / "pages"
TYPES = ["alias", "group", "identify", "page", "track"]


def served(url: str, key: str) -> tuple[Any, Any]:
    """Settings from our settings document."""
    return {"writeKey": key, "cdnURL": url}, {}


def inline(url: str, key: str) -> tuple[Any, Any]:
    """Settings in the page: nothing is fetched before sending."""
    api = {"apiKey": key, "apiHost": urlsplit(url).netloc + "/v1", "protocol": "http"}
    return {"writeKey": key, "cdnSettings": {"integrations": {"Segment.io": api}}}, {}


CLIENTS = {
    "analytics-next 1.84.3, our settings": ("segment.html", "@segment/analytics-next", served, FAULTS),
    "analytics-next 1.84.3, inline settings": ("segment.html", "@segment/analytics-next", inline, FAULTS),
    # The older one does not look at the status: it sends again only what got no answer.
    "analytics-next 1.60.0, our settings": ("segment.html", "analytics-next-older", served, ("cut", "cut")),
    "@rudderstack/analytics-js 3.34.1": ("rudder.html", "@rudderstack/analytics-js", served, FAULTS),
}


@asynccontextmanager
async def site(packages: Path, html: str, address: str) -> AsyncIterator[str]:
    """Serve a page and the packages it loads, on an origin of its own."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", page), web.static("/packages", packages / "node_modules")])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, address, 0).start()
    yield f"http://{address}:{runner.addresses[0][1]}"
    await runner.cleanup()


def filled(name: str, package: str, way: FaultyWay, key: str, settings: Any) -> str:
    first, options = settings(way.url, key)
    text = (PAGES / name).read_text(encoding="utf-8")
    for word, value in (
        ("PACKAGE", package),
        ("SETTINGS", orjson.dumps(first).decode()),
        ("OPTIONS", orjson.dumps(options).decode()),
        ("KEY", key),
        ("URL", way.url),
    ):
        text = text.replace(f"@{word}@", value)
    return text


@pytest.mark.parametrize("faulty", [False, True], ids=["a good way", "faults on the way"])
@pytest.mark.parametrize("client", CLIENTS)
async def test_every_event_of_a_page_is_in_the_stream_exactly_once(
    running: Running, packages: Path, page: Page, place: Island, client: str, faulty: bool
) -> None:
    source = await running.add(bridge="rest")
    key = await add_key(running.parts.catalogue, source.id, origins=["*"])
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).hostname or ""))

    name, package, settings, faults = CLIENTS[client]
    target = f"http://127.0.0.1:{running.parts.ports.public}"
    async with faulty_way(target, faults if faulty else (), place.address) as way:
        html = filled(name, package, way, key, settings)
        async with site(packages, html, place.address) as origin:
            await page.goto(f"{origin}/?utm_source=news")

            async def all_there() -> bool:
                return len(await running.events()) >= len(TYPES) and way.all_met

            await until(all_there, 60)
            record(client, way, key)
            assert len(way.waiting) == len(TYPES)  # each kind of call has its path, and met every fault

    events = {event["type"]: event for event in await running.events()}
    assert sorted(event["type"] for event in await running.events()) == TYPES
    assert asked == {place.address}
    assert place.asked == set()
    check_contents(events)


def check_contents(events: dict[str, dict[str, Any]]) -> None:
    """Ids, names, pages and the browser are where they belong."""
    assert all(event["anonymousId"] and event["messageId"] for event in events.values())
    assert {event.get("userId") for name, event in events.items() if name != "page"} == {"u1"}
    assert (events["page"]["name"], events["track"]["event"]) == ("Home", "Call Ended")
    assert events["track"]["properties"] == {"seconds": 312, "reason": "billing"}
    assert events["identify"]["traits"]["plan"] == "pro"
    assert (events["group"]["groupId"], events["alias"]["previousId"]) == ("g1", "old")
    for event in events.values():
        context = event["context"]
        assert context["page"]["title"] == "Home"
        assert context["campaign"]["source"] == "news"
        assert context["browser"]["name"] in {"Chrome", "HeadlessChrome"}
