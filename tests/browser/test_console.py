"""The console as a person uses it: from nothing to the first event, every tab, nothing hostile runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from collector.sources.keys import add_key
from tests.browser.console import PHONE, console, overflow, serious, site
from tests.conftest import until

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.conftest import Running

TABS = ("overview", "live", "install", "test", "settings", "privacy", "history")
SOURCES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "web": ({}, TABS),
    "rest": ({}, (*TABS, "keys", "deliveries")),
    "webhook": ({"settings": {"keep": "all"}}, (*TABS, "deliveries")),
    "email": ({"enabled": False}, (*TABS, "keys", "messages")),
}
HOSTILE = [
    "<script>window.hacked=1</script>",
    '"><img src=x onerror="window.hacked=1">',
    "'><svg/onload=window.hacked=1>",
    "</pre></li></ol><script>window.hacked=1</script>",
    "</title><script>window.hacked=1</script>",
    "javascript:window.hacked=1",
    "{{7*7}}<iframe srcdoc='<script>parent.hacked=1</script>'>",
]


async def test_from_nothing_to_the_first_event_on_another_origin(running: Running, browser: Browser) -> None:
    """Also: a foreign origin is refused in sight, and a source that is switched off takes nothing more."""
    async with console(running, browser) as (_, page, watch), site("") as foreign:
        await page.goto("/")
        await page.click("text=Make the first source")
        await page.click("text=Track a website")
        await page.fill("[name=name]", "Corner shop")
        await page.fill("[name='settings.origins']", "https://shop.example")
        await page.click("text=Make the source")
        await expect(page.locator("#waiting[data-ready]")).to_contain_text("Waiting for the first event")
        tag = await page.locator(".copyable pre").first.text_content() or ""

        async with site(tag) as shop:
            source = next(iter(running.parts.catalogue))
            await running.parts.catalogue.change(source.id, {"settings": {"origins": [shop]}})
            visitor = await browser.new_page()
            await visitor.goto(f"{shop}/sale?utm_source=news")
            await expect(page.locator("#waiting")).to_have_class(re.compile("good"))
            await expect(page.locator("#waiting-entry")).to_contain_text("/sale")

            await page.click("text=Watch live")
            await expect(page.locator("#live[data-ready]")).to_be_visible()
            await expect(page.locator("#stored .entry")).to_have_count(1)
            await visitor.evaluate("headwater('track', 'Bought', {total: 42})")
            await expect(page.locator("#stored .entry").first).to_contain_text("Bought")
            await page.locator("#stored summary").first.click()
            await expect(page.locator("#stored .added").filter(has_text='"receivedAt"').first).to_be_visible()
            assert await page.locator("#stored .added").filter(has_text='"total"').count() == 0

            await running.post(source.id, {"batch": [{"type": "page"}]}, Origin=foreign)
            refused = page.locator("#refused .entry").first
            await expect(refused).to_contain_text("origin_forbidden")
            await expect(refused).to_contain_text(foreign)
            await refused.locator("text=Go there").click()

            await page.click("text=Switch off")
            await expect(page.locator("[role=status]")).to_contain_text("1 of 1 collectors took the change")
            await page.click("text=Live")
            await expect(page.locator("#live[data-ready]")).to_be_visible()
            await visitor.evaluate("headwater('track', 'Too late')")
            await expect(page.locator("#refused .entry").first).to_contain_text("source_disabled")
            assert [event.get("event") for event in await running.events()] == [None, "Bought"]
            await visitor.close()
        assert watch.faults == []


async def fill(running: Running) -> None:
    """Make a source of each bridge, with something in it and something refused."""
    for bridge, (fields, _) in SOURCES.items():
        await running.add(id=bridge, name=f"A {bridge} source", bridge=bridge, tags=["tag"], **fields)
    key = await add_key(running.parts.catalogue, "rest", label="CRM")
    await running.post(
        "web", {"batch": [{"type": "page", "context": {"page": {"path": "/a"}}}, {"type": "no"}]}
    )
    call = {"userId": "ada", "event": "Call Ended"}
    await running.public.post("/v1/track", json=call, headers={"Authorization": f"Bearer {key}"})
    await running.public.post("/h/webhook", json={"event": "paid"})
    await settled(running)


async def settled(running: Running) -> None:
    """Wait for what is written behind the answers."""
    for each in (running.parts.pipeline.counters, running.parts.pipeline.refused, running.parts.deliveries):
        await each.flush()


PAGES = [
    *("/sources", "/sources/new", *(f"/sources/new/{bridge}" for bridge in SOURCES)),
    *(f"/sources/{bridge}/{tab}" for bridge, (_, tabs) in SOURCES.items() for tab in tabs),
    *("/people", "/health", "/account", "/accounts"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_and_no_page_is_wider_than_a_phone(
    running: Running, browser: Browser, scheme: str
) -> None:
    """By all rules on a large screen, and on a dark phone by those that colours and sizes matter to."""
    await fill(running)
    size = {"width": 1280, "height": 800} if scheme == "light" else PHONE
    rules = () if scheme == "light" else ("color-contrast", "scrollable-region-focusable", "target-size")
    found, wide, headless = [], [], []
    async with console(running, browser, color_scheme=scheme, viewport=size) as (_, page, watch):
        for path in PAGES:
            await page.goto(path)
            await page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
            found += await serious(page, *rules)
            wide += [path] if await overflow(page) else []
            headless += [path] if await page.locator("h1").count() != 1 else []

    assert (found, wide, headless, watch.faults) == ([], [], [], [])


async def test_a_test_shows_each_step_and_a_person_is_found(running: Running, browser: Browser) -> None:
    await fill(running)
    async with console(running, browser) as (_, page, watch):
        await page.goto("/sources/web/test")
        await page.select_option("#kind", "track")
        await page.fill("#event", "Tried")
        await page.click("button:has-text('Send it')")
        await expect(page.locator(".step.good")).to_have_count(4)
        await expect(page.locator("#stream-id")).to_have_text(re.compile(r"\d+-\d+"))
        await page.click("button:has-text('Dry run')")
        await expect(page.locator(".steps")).to_contain_text("would be stored")
        assert await serious(page) == []

        await page.click("text=Find a person")
        await page.fill("#user", "ada")
        await page.click("button:has-text('Find')")
        await expect(page.locator(".entry")).to_contain_text("Call Ended")
        async with page.expect_download() as download:
            await page.click("text=Download")
        assert (await download.value).suggested_filename == "person.ndjson"
    assert watch.faults == []


async def send_hostile(running: Running, text: str) -> None:
    """Put a payload wherever a stranger can."""
    url = f"https://shop.example/{text}?utm_source={quote(text)}&utm_campaign={quote(text)}"
    context = {
        "page": {
            "url": text if ":" in text[:11] else url,
            "title": text,
            "path": f"/{text}",
            "referrer": f"https://evil.example/{text}",
        },
        "campaign": {"source": text, "name": text},
        "browser": {"name": text},
        "device": {"type": text},
        "location": {"country": text},
    }
    events = [
        {"type": "page", "name": text, "properties": {text: text}, "context": context},
        {
            "type": "track",
            "event": text,
            "userId": "mallory",
            "properties": {text: {text: [text]}},
            "context": context,
        },
        {"type": text},
    ]
    await running.post("web", {"batch": events}, User_Agent=text, Origin=quote(text, safe="<>'=/:;"))
    pixel = f"/p/web.gif?url={quote(url)}&title={quote(text)}&referrer={quote(text)}"
    await running.public.get(pixel, headers={"User-Agent": text, "Referer": quote(text)})
    await running.public.post("/h/webhook", json={"event": text, text: text}, headers={"X-Odd": text})
    await running.public.post(f"/h/webhook/{quote(text, safe='')}", data=text.encode())


async def nothing_ran(page: Page) -> None:
    assert await page.evaluate("window.hacked") is None, page.url
    links: Any = await page.eval_on_selector_all(
        "a[href]",
        "all => all.map(a => [a.protocol, a.host === location.host || a.rel.includes('noopener')])",
    )
    assert {protocol for protocol, _ in links} <= {"http:", "https:"}, page.url
    assert all(safe for _, safe in links), page.url


async def test_hostile_payloads_run_nothing(running: Running, browser: Browser) -> None:
    """In every place that a stranger fills, as in CVE-2022-25772 and CVE-2024-47050 of Mautic."""
    for bridge, (fields, _) in SOURCES.items():
        text = HOSTILE[0] + HOSTILE[1]
        await running.add(
            id=bridge,
            name=text[:100],
            description=text,
            tags=[text[:50]],
            channel=text[:50],
            bridge=bridge,
            **fields,
        )
    for text in HOSTILE[:4]:
        await send_hostile(running, text)
    await settled(running)
    paths = [path for path in PAGES if path.startswith("/sources/w") or "/" not in path[1:]]
    async with console(running, browser) as (_, page, watch):
        for path in paths:
            await page.goto(path)
            await nothing_ran(page)
        await page.goto("/sources/web/live")
        await expect(page.locator("#live[data-ready]")).to_be_visible()
        before = await page.locator("#stored .entry").count()
        for text in HOSTILE[4:]:
            await send_hostile(running, text)
        await expect(page.locator("#stored .entry")).not_to_have_count(before)
        await expect(page.locator("#stored")).to_contain_text("{{7*7}}")
        await nothing_ran(page)
        await page.goto("/people")
        await page.fill("#user", "mallory")
        await page.click("button:has-text('Find')")
        await expect(page.locator(".entry").first).to_contain_text("window.hacked")
        await nothing_ran(page)
        await page.goto(f"/sources?q={quote(HOSTILE[1])}&tag={quote(HOSTILE[1])}")
        await nothing_ran(page)
    assert watch.faults == []


async def test_live_is_paused_filtered_and_goes_on(running: Running, browser: Browser) -> None:
    await running.add(id="web")
    async with console(running, browser) as (_, page, watch):
        await page.goto("/sources/web/live")
        await expect(page.locator("#live[data-ready]")).to_be_visible()
        await page.click("#pause")
        await running.post("web", {"batch": [{"type": "track", "event": "One"}]})
        await expect(page.locator("#live-state")).to_contain_text("1 waiting")
        assert await page.locator("#stored .entry").count() == 0
        await page.click("#pause")
        await expect(page.locator("#stored .entry")).to_have_count(1)

        await page.fill("#filter", "two")
        await running.post("web", {"batch": [{"type": "track", "event": "Two"}]})
        await expect(page.locator("#stored .entry:visible")).to_have_count(1)
        await expect(page.locator("#stored .entry:visible")).to_contain_text("Two")
        await page.fill("#filter", "")
        await expect(page.locator("#stored .entry:visible")).to_have_count(2)
    assert watch.faults == []


async def test_live_begins_again_after_an_answer_that_is_no_feed(running: Running, browser: Browser) -> None:
    """A browser gives up at a 503, which the console answers while Redis is away."""
    await running.add(id="web")
    async with console(running, browser) as (context, page, _watch):
        await context.route("**/live/feed*", lambda route: route.fulfill(status=503), times=1)
        await page.goto("/sources/web/live")
        await expect(page.locator("#live-state")).to_contain_text("trying again")
        await expect(page.locator("#live[data-ready]")).to_be_visible()
        await running.post("web", {"batch": [{"type": "track", "event": "After"}]})
        await expect(page.locator("#stored .entry").first).to_contain_text("After")


async def test_a_page_out_of_sight_lets_go_of_its_line_and_says_so(
    running: Running, browser: Browser
) -> None:
    """A browser has six lines to a server over plain http: six forgotten tabs would stop the console."""
    await running.add(id="web")
    turn = """hidden => {
      Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    async with console(running, browser) as (_, page, watch):
        await page.clock.install()
        for tab, box in (("live", "#live"), ("install", "#waiting")):
            await page.goto(f"/sources/web/{tab}")
            await expect(page.locator(f"{box}[data-ready]")).to_be_visible()
            await page.evaluate(turn, True)
            await page.clock.fast_forward(61_000)
            await running.post("web", {"batch": [{"type": "track", "event": f"Missed by {tab}"}]})
            await page.evaluate(turn, False)
            if tab == "live":
                await expect(page.locator("#live-state")).to_contain_text("while it was out of sight")
                await running.post("web", {"batch": [{"type": "track", "event": "Seen"}]})
                await expect(page.locator("#stored .entry")).to_have_count(1)
        await expect(page.locator("#waiting-entry")).to_contain_text("Missed by install")
    assert watch.faults == []


async def test_the_theme_is_chosen_and_kept_and_the_keyboard_skips_to_the_content(
    running: Running, browser: Browser
) -> None:
    async with console(running, browser, color_scheme="light") as (_, page, watch):
        await page.goto("/sources")
        ground = "getComputedStyle(document.body).backgroundColor"
        light = await page.evaluate(ground)
        await page.click("#theme")
        dark = await page.evaluate(ground)
        assert light != dark
        await page.reload()
        assert await page.evaluate(ground) == dark

        await page.keyboard.press("Tab")
        await expect(page.locator(".skip")).to_be_focused()
        await page.keyboard.press("Enter")
        assert page.url.endswith("#main")
    assert watch.faults == []


async def test_the_console_works_without_script(running: Running, browser: Browser) -> None:
    async with console(running, browser, java_script_enabled=False) as (_, page, _watch):
        await page.goto("/sources/new/web")
        await page.fill("[name=name]", "Plain")
        await page.click("text=Make the source")
        await expect(page.locator("pre").first).to_contain_text("<script")
        source = next(iter(running.parts.catalogue))
        await running.post(source.id, {"batch": [{"type": "track", "event": "Seen"}]})
        await page.click("text=Live")
        await expect(page.locator("#stored")).to_contain_text("Seen")
        await page.click("text=Settings")
        await page.click("text=Switch off")

        async def off() -> bool:
            return not running.parts.catalogue.get(source.id).enabled

        await until(off)
