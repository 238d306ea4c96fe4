"""The main job as a person sees it: open the demo page, click about, find the events in the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conftest import run_collector, until

if TYPE_CHECKING:
    from playwright.async_api import Page

    from collector.settings import Settings
    from tests.conftest import Running


async def test_views_events_and_clicks_of_the_demo_page_reach_the_stream_enriched(
    running: Running, page: Page
) -> None:
    source = await running.add(name="Demo", settings={"preset": "typical", "features": ["autocapture"]})
    await open_demo(running, page, source.id)

    view = (await events_of(running, 1))[0]
    assert view["type"] == "page"
    assert view["context"]["page"]["title"] == "Demo: Demo"
    assert view["context"]["page"]["path"] == f"/demo/{source.id}"
    assert view["context"]["campaign"] == {"source": "test", "medium": "browser"}
    assert view["context"]["browser"]["name"] in {"Chrome", "HeadlessChrome"}
    assert view["context"]["os"]["name"] == "Linux"
    assert view["context"]["locale"] == "de-CH"
    assert view["source"] == {"id": source.id, "bridge": "web", "channel": "Web"}

    await page.click("#track")
    await page.click("#buy")
    await page.click("#link")
    named = {event.get("event"): event for event in await events_of(running, 6)}

    assert named["Demo clicked"]["properties"]["plan"] == "pro"
    assert str(named["Order Completed"]["properties"]["total"]) == "42"
    assert named["Click"]["properties"]["text"] == "A link on this page"
    assert named["Click"]["properties"]["url"].endswith("#next")


async def test_a_reload_revalidates_the_expired_tracker_with_304(settings: Settings, page: Page) -> None:
    """Chromium shows pages the cached 200; the status on the wire is read from its network log."""
    expired = settings.model_copy(update={"tracker_seconds": 0, "tracker_stale_seconds": 0})
    async with run_collector(expired) as running:
        source = await running.add()
        network = await page.context.new_cdp_session(page)
        await network.send("Network.enable")
        statuses: list[int] = []
        network.on("Network.responseReceivedExtraInfo", lambda answer: statuses.append(answer["statusCode"]))
        await open_demo(running, page, source.id)
        await events_of(running, 1)

        assert 304 not in statuses
        await page.reload()
        await events_of(running, 2)

        assert 304 in statuses


async def open_demo(running: Running, page: Page, source: str) -> None:
    console = str(running.console._base_url).rstrip("/")
    await page.goto(f"{console}/demo/{source}?utm_source=test&utm_medium=browser")


async def events_of(running: Running, count: int) -> list[dict[str, Any]]:
    async def enough() -> list[dict[str, Any]]:
        found = await running.events()
        return found if len(found) >= count else []

    found: list[dict[str, Any]] = await until(enough)
    return found
