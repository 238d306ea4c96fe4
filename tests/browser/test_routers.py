"""Real routers: one view for each page that somebody sees, with its own address, title and referrer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.tracker import snippet
from tests.browser.routers import ROUTERS, TITLES, served
from tests.conftest import until

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.browser.routers import Pages
    from tests.conftest import Running

NEWS = "https://news.example/"


@pytest.fixture(scope="session")
def apps() -> dict[str, Pages]:
    """Every router's app, built."""
    return {name: build() for name, build in ROUTERS.items()}


@pytest.mark.parametrize("features", [(), ("title",)], ids=["core", "core with title"])
@pytest.mark.parametrize("name", ROUTERS)
async def test_every_view_counts_once_as_what_it_is(
    running: Running, page: Page, apps: dict[str, Pages], name: str, features: tuple[str, ...]
) -> None:
    """Without the feature `title` a router that renders late has the title of the page before."""
    source = await running.add(settings={"features": features})
    tag = snippet(source, f"http://127.0.0.1:{running.parts.ports.public}")
    async with served(apps[name], tag) as origin:
        await page.goto(f"{origin}/", referer=NEWS)
        steps = [
            page.get_by_text("Push").click,
            page.get_by_text("Replace").click,
            page.go_back,
            page.go_forward,
        ]
        for count, step in enumerate(steps, 1):
            await _events(running, page, count)
            await step()
        await _events(running, page, len(steps) + 1)
        await page.evaluate("() => { headwater('track', 'Last') }")
        events = await _events(running, page, len(steps) + 2)

    paths = ["/", "/two", "/three", "/", "/three"]
    addresses = [origin + path for path in paths]
    seen = [event["context"]["page"] for event in events[:-1]]
    assert [event["type"] for event in events] == ["page"] * len(paths) + ["track"]
    assert [at["url"] for at in seen] == addresses
    assert [at["referrer"] for at in seen] == [NEWS, *addresses[:-1]]
    if features:
        assert [at.get("title") for at in seen] == [TITLES[path] for path in paths]


async def test_a_tracker_that_comes_after_next_has_started_misses_no_view(
    running: Running, page: Page, apps: dict[str, Pages]
) -> None:
    """Next keeps the history's methods that it finds, and puts its own before them."""
    tag = snippet(await running.add(), f"http://127.0.0.1:{running.parts.ports.public}")
    async with served(apps["Next"]) as origin:
        await page.goto(f"{origin}/")
        await page.wait_for_function("Object.hasOwn(history, 'pushState')")
        await page.evaluate(
            "tag => document.head.append(document.createRange().createContextualFragment(tag))", tag
        )
        for count, link in enumerate(["Push", "Replace"], 1):
            await _events(running, page, count)
            await page.get_by_text(link).click()
        events = await _events(running, page, 3)
    assert [event["context"]["page"]["url"] for event in events] == [
        f"{origin}{path}" for path in ["/", "/two", "/three"]
    ]


async def test_the_recipe_for_next_counts_every_view_and_a_tracked_click(
    running: Running, page: Page, apps: dict[str, Pages]
) -> None:
    source = await running.add()
    endpoint = f"http://127.0.0.1:{running.parts.ports.public}/e/{source.id}"
    await page.add_init_script(f"window.endpoint = '{endpoint}'")
    async with served(apps["Next"]) as origin:
        await page.goto(f"{origin}/bundled")
        steps = [page.get_by_text("Further").click, page.go_back, page.get_by_text("Buy").click]
        for count, step in enumerate(steps, 1):
            await _events(running, page, count)
            await step()
        *views, bought = await _events(running, page, 4)
    seen = [event["context"]["page"] for event in views]
    assert [(at["url"], at["title"]) for at in seen] == [
        (f"{origin}/bundled", "Bundled"),
        (f"{origin}/bundled/two", "Bundled two"),
        (f"{origin}/bundled", "Bundled"),
    ]
    assert (bought["event"], bought["properties"]) == ("Bought", {"plan": "pro"})


async def _events(running: Running, page: Page, count: int) -> list[dict[str, Any]]:
    """Return the events once there are as many as there must be by now."""

    async def enough() -> list[dict[str, Any]]:
        await page.evaluate("() => { window.headwater?.flush() }")
        found = await running.events()
        return found if len(found) >= count else []

    found: list[dict[str, Any]] = await until(enough)
    return found
