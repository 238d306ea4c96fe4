"""A real Chromium for the session, and a page for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright

from tests.browser.process import ARGUMENTS, find_chromium
from tests.browser.street import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, without a window."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield chromium
        await chromium.close()


@pytest.fixture
async def page(browser: Browser) -> Page:
    """An empty page of a fresh profile."""
    return await browser.new_page(locale="de-CH")


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Somebody's website, with a page for every path."""
    site = Site()
    await site.door.open()
    yield site
    await site.door.close()
