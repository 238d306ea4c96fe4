"""The docs' recipes for bundlers and frameworks run as they stand there, in Chromium and on a server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.recipes import (
    FRAMEWORKS,
    NEXT,
    PLAIN,
    ROOT,
    bundle,
    check_types,
    install,
    packed_file,
    render,
    write,
)
from tests.browser.routers import served, single_page
from tests.browser.test_demo import events_of

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

    from tests.browser.recipes import Recipe
    from tests.browser.routers import Pages
    from tests.conftest import Running


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small sites that have installed the packed tracker and followed the recipes."""
    folder = tmp_path_factory.mktemp("sites")
    install(folder)
    return folder


@pytest.mark.parametrize("name", FRAMEWORKS)
async def test_a_recipe_counts_the_first_view_the_next_one_and_a_tracked_click(
    running: Running, page: Page, sites: Path, name: str
) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    async with served(await _built(running, sites, FRAMEWORKS[name])) as origin:
        await page.goto(f"{origin}/")
        await events_of(running, 1)
        await page.get_by_text("Push").click()
        await page.wait_for_function("document.title === 'Two'")
        await page.get_by_text("Buy").click()
        await page.goto("about:blank")  # what waits for its turn leaves with the page
        events = await events_of(running, 3)

    pages = [event["context"]["page"] for event in events if event["type"] == "page"]
    assert [(at["url"], at["title"]) for at in pages] == [(f"{origin}/", "Home"), (f"{origin}/two", "Two")]
    assert [event["event"] for event in events if event["type"] == "track"] == ["Bought"]
    assert complaints == []


async def test_the_plain_call_counts_a_view_and_the_event(running: Running, page: Page, sites: Path) -> None:
    async with served(await _built(running, sites, PLAIN)) as origin:
        await page.goto(f"{origin}/")
        await page.goto("about:blank")
        events = await events_of(running, 2)
    assert {event.get("event", event["type"]) for event in events} == {"page", "Signed up"}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_recipe_does_no_harm_where_a_server_renders_it(sites: Path, name: str) -> None:
    assert re.search(r"<button.*Buy</button>", render(sites, name))


def test_the_recipes_in_typescript_are_sound(sites: Path) -> None:
    check_types(sites)


def test_the_install_page_and_the_package_say_what_the_docs_say() -> None:
    page = (ROOT / "templates" / "console" / "install_web.html").read_text(encoding="utf-8")
    shown = dict(re.findall(r'call code\("(.*?)"\) %}\n?(.*?){% endcall', page, re.DOTALL))
    endpoint = "{{ public }}/e/{{ source.id }}"
    assert shown["the module"] == PLAIN.code(endpoint).rstrip()
    assert shown["the component"] == NEXT.code(endpoint).rstrip()
    readme = (ROOT / "snippet" / "README.md").read_text(encoding="utf-8")
    assert PLAIN.code("https://collect.example.com/e/web1") in readme
    assert packed_file() in readme


async def _built(running: Running, sites: Path, recipe: Recipe) -> Pages:
    source = await running.add()
    write(sites, recipe, f"http://127.0.0.1:{running.parts.ports.public}/e/{source.id}")
    return single_page(bundle(sites, recipe.entry).read_bytes())
