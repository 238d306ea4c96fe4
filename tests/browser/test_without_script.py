"""The pixel that the docs give for visitors without JavaScript, in a Chromium that runs none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.street import Pages
from tests.browser.test_demo import events_of

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.browser.street import Site
    from tests.conftest import Running

DOCS = Path(__file__).parents[2] / "docs" / "tracker.md"


async def test_a_visitor_without_javascript_is_viewed_once_at_the_pages_address(
    running: Running, browser: Browser, site: Site
) -> None:
    source = await running.add()
    [pixel] = re.findall(r"<noscript>.*</noscript>", DOCS.read_text(encoding="utf-8"))
    public = f"http://127.0.0.1:{running.parts.ports.public}"
    site.pages["shop"] = Pages(pixel.replace("https://collect.example.com/p/web1", f"{public}/p/{source.id}"))
    plain = await browser.new_page(java_script_enabled=False)
    await plain.goto(f"{site.origin}/shop/one?utm_source=news")
    [event] = await events_of(running, 1)

    assert event["type"] == "page"
    assert event["context"]["page"]["path"] == "/shop/one"
    assert event["context"]["campaign"] == {"source": "news"}

    # Who has JavaScript never asks for it.
    await (await browser.new_page()).goto(f"{site.origin}/shop/two")
    assert len(await running.events()) == 1
