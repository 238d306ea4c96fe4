"""A mail as a reader sees it: a responsive template, instrumented, opened and clicked in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mrml
import pytest
from playwright.async_api import async_playwright

from collector.mails import Tracking, instrument_html
from collector.sources.email import signer
from tests.browser.process import ARGUMENTS, find_chromium

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext, ElementHandle

    from tests.conftest import Running

NEWSLETTER = Path(__file__).parent.parent / "mails" / "newsletter.mjml"
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)


def responsive_mail() -> str:
    """Return a mail as designers' tools write it: conditions for Outlook, VML, media queries."""
    return str(mrml.to_html(NEWSLETTER.read_text(encoding="utf-8")).content)


@pytest.fixture
async def reader(running: Running) -> AsyncIterator[BrowserContext]:
    """A browser whose shop.example is the collector itself: links arrive somewhere that answers."""
    port = running.parts.ports.public
    street = [
        *ARGUMENTS,
        f"--host-resolver-rules=MAP shop.example:80 127.0.0.1:{port}",
        f"--user-agent={CHROME}",  # of the whole browser: a new tab's first request comes before a context's
    ]
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=find_chromium(), args=street)
        yield await chromium.new_context()
        await chromium.close()


async def test_a_responsive_mail_is_opened_and_every_link_clicked(
    running: Running, reader: BrowserContext
) -> None:
    source = await running.add(bridge="email", channel="Email", id="news")
    base = f"http://127.0.0.1:{running.parts.ports.public}"
    mail = responsive_mail()
    sent = instrument_html(mail, Tracking(signer(source), base, "spring", "r1", honeypot=True))
    page = await reader.new_page()

    await page.set_content(sent, wait_until="load")
    pixel: Any = await page.eval_on_selector(
        'img[src*="/p/news.gif"]', "image => [image.complete, image.naturalWidth, image.naturalHeight]"
    )
    links = await page.query_selector_all('a[href*="/l/"]')
    seen = [link for link in links if await link.is_visible()]
    landed = [await followed(reader, link) for link in seen]
    expected = re.findall(r'<a[^>]* href="(http://shop\.example/[^"{]*)"(?![^>]*data-no-track)', mail)
    expected = [target.replace("&amp;", "&") for target in expected if "unsubscribe" not in target]
    events = await running.events()

    assert "[if mso" in mail
    assert pixel == [True, 1, 1]
    assert (len(links), len(seen)) == (len(expected) + 1, len(expected))  # the honeypot is not seen
    assert sorted(landed) == sorted(expected)
    assert [each["event"] for each in events[:1]] == ["Email Opened"]
    clicks = [each for each in events if each["event"] == "Email Link Clicked"]
    assert sorted(each["properties"]["link_url"] for each in clicks) == sorted(expected)
    assert {each["anonymousId"] for each in events} == {"r1"}
    assert {each["properties"]["email_id"] for each in events} == {"spring"}
    assert [each["collector"].get("machine") for each in events] == [None] * len(events)


async def followed(reader: BrowserContext, link: ElementHandle) -> str:
    """Click a link into a tab of its own, so that the mail stays open; return where it led."""
    async with reader.expect_page() as opened:
        await link.click(modifiers=["Control"])
    tab = await opened.value
    await tab.wait_for_url("http://shop.example/**")
    url = tab.url
    await tab.close()
    return url
