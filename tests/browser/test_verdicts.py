"""What a page hears of its events: each promise settles with what became of that event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.test_demo import events_of
from tests.browser.test_privacy import opened

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.browser.street import Site
    from tests.conftest import Running

_TRACK_THREE = """() => Promise.all(['Right', 'x'.repeat(1000), 'Fine'].map(async (event) => {
  const {status, outcome, reason} = await headwater.track(event);
  return [status, outcome, reason ?? ''];
}))"""


async def test_a_refused_event_among_good_ones_is_told_to_its_own_caller(
    running: Running, site: Site, page: Page
) -> None:
    async with opened(running, site, page):
        await events_of(running, 1)
        said = await page.evaluate(_TRACK_THREE)

    assert said == [[200, "stored", ""], [200, "refused", "field_too_long"], [200, "stored", ""]]
    assert {event.get("event", "page") for event in await running.events()} == {"page", "Right", "Fine"}
