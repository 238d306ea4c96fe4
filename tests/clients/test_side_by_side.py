"""The examples of docs/peers.md, as they stand there: both systems have every event; nobody else is asked."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collector.sources.keys import add_key
from tests.clients.faults import faulty_way
from tests.clients.test_browsers import PAGES, site
from tests.clients.test_dialects import AMPLITUDE, MIXPANEL, TOKEN, asked_for, check
from tests.conftest import run_collector, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from collector.settings import Settings
    from tests.clients.island import Island
    from tests.conftest import Running

GUIDE = (Path(__file__).parents[2] / "docs" / "peers.md").read_text(encoding="utf-8")
OURS = "https://collect.shop.example"
KEY = "a-write-key-of-both-systems"
# For each: where its own system is, and the site.
PEERS = {
    "Plausible": ("https://plausible.io", "plausible:shop.example"),
    "PostHog": ("https://eu.i.posthog.com", f"posthog:{TOKEN}"),
    "Snowplow": ("https://collector.example", "snowplow:shop-app"),
    "Amplitude": ("https://api2.amplitude.com", AMPLITUDE),
    "Mixpanel": ("https://api-eu.mixpanel.com", MIXPANEL),
    "Segment": ("https://cdn.segment.com", ""),
}


def example(name: str) -> str:
    """Return the JavaScript of a system's section."""
    section = GUIDE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert "*run" in section or "(*run*)" in section
    found = re.search(r"```js\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


@asynccontextmanager
async def both(settings: Settings, site_id: str) -> AsyncIterator[tuple[Running, Running]]:
    """Run two collectors, each with a source of the same site, or of the same write key."""
    other = settings.model_copy(
        update={"namespace": settings.namespace + "b", "data": settings.data / "theirs"}
    )
    async with run_collector(settings) as ours, run_collector(other) as theirs:
        for running in (ours, theirs):
            if site_id:
                await running.add(settings={"sites": [site_id]}, privacy={"visitors": "cookie"})
            else:
                source = await running.add(bridge="rest")
                await add_key(running.parts.catalogue, source.id, key=KEY, origins=["*"])
        yield ours, theirs


@pytest.mark.parametrize("name", PEERS)
async def test_both_systems_have_every_event(
    settings: Settings, packages: Path, page: Page, place: Island, name: str
) -> None:
    host, site_id = PEERS[name]
    html = (PAGES / "beside" / f"{name.lower()}.html").read_text(encoding="utf-8")
    async with both(settings, site_id) as (ours, theirs):
        targets = [f"http://127.0.0.1:{running.parts.ports.public}" for running in (ours, theirs)]
        async with (
            faulty_way(targets[0], (), place.address) as way,
            faulty_way(targets[1], (), place.address) as old,
        ):
            code = example(name).replace(OURS, way.url).replace(host, old.url)
            code = re.sub(r"'(KEY|TOKEN)'", f"'{site_id.partition(':')[2] or KEY}'", code)
            async with site(packages, html.replace("@EXAMPLE@", code), place.address) as origin:
                await page.goto(f"{origin}/?utm_source=news")

                async def all_there() -> bool:
                    return [len(await counted(each)) for each in (ours, theirs)] == [2, 2]

                await until(all_there, 30)
                (view, call), (their_view, their_call) = [
                    check(await counted(each)) for each in (ours, theirs)
                ]
                await page.goto("about:blank")

    assert view["context"]["page"]["url"] == their_view["context"]["page"]["url"]
    assert told(call) == told(their_call)
    assert place.asked == set()


def told(call: dict[str, Any]) -> dict[str, Any]:
    """Return what the page told: each of Amplitude's clients adds the page only once its plugin is there."""
    return {
        name: value for name, value in call["properties"].items() if not name.startswith("[Amplitude] Page")
    }


async def counted(running: Running) -> list[dict[str, Any]]:
    """Return the views and events; Amplitude's client tells of the campaign beside them."""
    return [event for event in asked_for(await running.events()) if event["type"] in {"page", "track"}]
