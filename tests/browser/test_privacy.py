"""What a real browser keeps and sends, and when: before consent, after it, and once it is withdrawn."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from collector.tracker import snippet
from tests.browser.street import Gate, Pages
from tests.browser.test_demo import events_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from tests.browser.street import Site
    from tests.conftest import Running

_READY = "() => window.headwater?.flush && Object.keys(headwater).some(key => key.startsWith('http'))"
_FLUSH = "() => headwater.flush()"
_KEPT = "() => [document.cookie, ...Object.keys(localStorage), ...Object.keys(sessionStorage)].filter(String)"
# What the page asks of the browser about the device, written down.
_WATCH_HINTS = """
window.asked = [];
const real = NavigatorUAData.prototype.getHighEntropyValues;
NavigatorUAData.prototype.getHighEntropyValues = function (names) {
  window.asked.push(names);
  return real.call(this, names);
};
"""


@asynccontextmanager
async def opened(running: Running, site: Site, page: Page, **fields: Any) -> AsyncIterator[Gate]:
    """Open a page of a site whose tracker is a source's, with a gate that counts what it sends."""
    source = await running.add(**fields)
    gate = Gate(running.public)
    await gate.door.open()
    site.pages[source.id] = Pages(snippet(source, gate.address))
    await page.goto(f"{site.origin}/{source.id}/one")
    await page.wait_for_function(_READY)
    yield gate
    await gate.door.close()


def _required(**privacy: Any) -> dict[str, Any]:
    return {"visitors": "cookie", "consent": "required", **privacy}


async def test_nothing_is_sent_or_kept_before_consent(running: Running, site: Site, page: Page) -> None:
    settings = {"preset": "typical", "features": ["hints"]}
    await page.add_init_script(_WATCH_HINTS)
    async with opened(running, site, page, privacy=_required(), settings=settings) as gate:
        await page.evaluate("() => void headwater('track', 'Early')")
        await page.evaluate(_FLUSH)
        await asyncio.sleep(1)  # longer than the tracker waits to fill a batch

        assert gate.beacons == 0
        assert await page.evaluate(_KEPT) == []
        assert await page.evaluate("() => window.asked") == []

        await page.evaluate("() => headwater('consent', {analytics: true, ads: false})")
        await page.evaluate("() => void headwater('track', 'Late')")
        events = await events_of(running, 3)

    assert {event.get("event", "page") for event in events} == {"page", "Early", "Late"}
    assert {str(event["context"]["consent"]) for event in events} == {"{'analytics': True, 'ads': False}"}
    assert await page.evaluate("() => window.asked.length") == 1


async def test_a_withdrawal_deletes_what_the_tracker_kept(running: Running, site: Site, page: Page) -> None:
    settings = {"preset": "typical", "features": ["visitor"]}
    async with opened(running, site, page, privacy=_required(), settings=settings) as gate:
        await page.evaluate("() => headwater('consent', 'grant')")
        await events_of(running, 1)
        kept = await page.evaluate(_KEPT)
        assert any("hw_id=" in each for each in kept)
        assert any(each.startswith("hw:") for each in kept)

        await page.evaluate("() => headwater('consent', 'deny')")
        sent = gate.beacons
        await page.evaluate("() => void headwater('track', 'After')")
        await page.evaluate(_FLUSH)
        await asyncio.sleep(1)

        assert await page.evaluate(_KEPT) == ["hw"]
        assert await page.evaluate("() => localStorage.hw") == '{"analytics":false}'
        assert gate.beacons == sent


@pytest.mark.parametrize(("features", "asked"), [([], 0), (["hints"], 1)])
async def test_the_device_is_asked_about_only_if_the_source_wants_it(
    running: Running, site: Site, page: Page, features: list[str], asked: int
) -> None:
    await page.add_init_script(_WATCH_HINTS)
    settings = {"preset": "core", "features": features}
    async with opened(running, site, page, settings=settings):
        await page.evaluate("() => void headwater('track', 'One')")
        await page.evaluate("() => void headwater('track', 'Two')")
        events = await events_of(running, 3)

    assert await page.evaluate("() => window.asked.length") == asked
    told = [event["context"].get("userAgentData", {}) for event in events]
    assert any("platformVersion" in each for each in told) is bool(asked)


async def test_a_browser_under_automation_is_told_apart(running: Running, site: Site, page: Page) -> None:
    """Its user agent is that of a person's browser: only the page can see that nobody is there."""
    devtools = await page.context.new_cdp_session(page)
    person = (await page.evaluate("() => navigator.userAgent")).replace("Headless", "")
    await devtools.send("Network.setUserAgentOverride", {"userAgent": person})
    async with opened(running, site, page, settings={"preset": "typical"}):
        (event,) = await events_of(running, 1)

    assert event["context"]["bot"] == {"is": True, "kind": "headless", "why": "webdriver"}


async def test_a_headless_browser_is_told_by_its_name(running: Running, site: Site, page: Page) -> None:
    async with opened(running, site, page):
        (event,) = await events_of(running, 1)

    bot = event["context"]["bot"]
    assert (bot["is"], bot["kind"], bot["why"]) == (True, "headless", "user_agent")
