"""``python -m tests.browser.screenshots [FOLDER]``: pictures of the console with an invented day in it.

Into docs/console those that the docs show; into a FOLDER every page, light, dark and on a phone.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.async_api import async_playwright

from collector.model import Event, Outcome
from collector.settings import Settings
from collector.store.embedded import embedded_server
from tests.browser.console import PHONE, console
from tests.browser.process import ARGUMENTS, find_chromium
from tests.conftest import run_collector

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.conftest import Running

DOCS = Path(__file__).parents[2] / "docs" / "console"
SHOWN = {"overview": "/sources/shop/overview", "live": "/sources/shop/live"}
EVERY = [
    *("/sources", "/sources/new", "/sources/new/web", "/people", "/health", "/account", "/accounts"),
    *(
        f"/sources/shop/{tab}"
        for tab in ("overview", "live", "install", "test", "settings", "privacy", "history")
    ),
    *(
        "/sources/calls/keys",
        "/sources/stripe/install",
        "/sources/stripe/deliveries",
        "/sources/news/messages",
    ),
]
SMALL: dict[str, Any] = {"viewport": {"width": 1000, "height": 560}, "color_scheme": "light"}
KINDS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1180, "height": 820}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1180, "height": 820}, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "is_mobile": True},
}
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
)
PATHS = ("/", "/", "/sale", "/shoes/red", "/shoes/blue", "/cart", "/checkout")
CAME = (
    {},
    {"referrer": {"medium": "search", "source": "Google"}},
    {"referrer": {"medium": "search", "source": "DuckDuckGo"}},
    {"campaign": {"source": "newsletter", "medium": "email", "name": "spring"}},
)


async def _fill(running: Running) -> None:
    """Make sources, a day of counts, and some events of now."""
    shop = {"origins": ["https://shop.example"], "preset": "typical"}
    await running.add(id="shop", name="My shop", description="The web shop", tags=["eu"], settings=shop)
    await running.add(id="calls", name="Sales calls", bridge="rest", channel="Call Center")
    await running.add(
        id="stripe", name="Payments", bridge="webhook", channel="Other", settings={"preset": "json"}
    )
    await running.add(id="news", name="Newsletter", bridge="email", channel="Email")
    dice = random.Random(7)  # noqa: S311 - no secret
    await _count_a_day(running, dice)
    for number in range(40):
        path = dice.choice(PATHS)
        page = {
            "url": f"https://shop.example{path}",
            "title": path.strip("/").replace("/", ", ").title() or "Home",
        }
        context = {
            "page": page,
            "timezone": dice.choice(("Europe/Zurich", "Europe/Berlin", "America/New_York")),
        }
        event = {"type": "page", "messageId": f"p{number}", "context": context}
        if number % 6 == 0:
            event |= {
                "type": "track",
                "event": "Order Completed",
                "properties": {"total": 42, "currency": "EUR"},
            }
        headers = {
            "Origin": "https://shop.example",
            "User-Agent": dice.choice(AGENTS),
            "Accept-Language": "de",
        }
        await running.post("shop", {"batch": [event]}, **headers)
    for _ in range(3):
        await running.post("shop", {"batch": [{"type": "page"}]}, Origin="https://copy.example")
    await running.public.post("/h/stripe", json={"event": "invoice.paid", "id": "in_1"})
    for each in (running.parts.pipeline.counters, running.parts.pipeline.refused, running.parts.deliveries):
        await each.flush()


async def _count_a_day(running: Running, dice: random.Random) -> None:
    counters = running.parts.pipeline.counters
    now = int(time.time())
    for minutes in [*range(0, 60, 1), *range(60, 24 * 60, 20)]:
        at = now - minutes * 60
        busy = 2 + 9 * (1 - abs((at // 3600) % 24 - 15) / 15)
        events = [
            _event(dice) for _ in range(int(dice.uniform(0.6, 1.2) * busy * (1 if minutes < 60 else 12)))
        ]
        counters.events("shop", events, [Outcome(0, "stored")] * len(events))
        counters._pack(at)
    await counters.flush()


def _event(dice: random.Random) -> Event:
    context = {
        "page": {"path": dice.choice(PATHS)},
        "browser": {"name": dice.choice(("Chrome", "Chrome", "Mobile Safari", "Firefox"))},
        "device": {"type": dice.choice(("pc", "phone", "phone"))},
        "location": {"country": dice.choice(("CH", "DE", "DE", "FR", "US"))},
        **dice.choice(CAME),
    }
    message: dict[str, Any] = {"type": "page", "context": context}
    if dice.random() < 0.2:
        message |= {"type": "track", "event": dice.choice(("Product Added", "Order Completed", "Signed up"))}
    return Event(0, "id", message["type"], f"visitor-{dice.randrange(900)}", message)


async def _take(
    running: Running, browser: Browser, paths: dict[Path, str], options: dict[str, Any], *, full: bool
) -> None:
    async with console(running, browser, **options) as (_, page, watch):
        for file, path in paths.items():
            await page.goto(path)
            await page.wait_for_timeout(200)
            await page.screenshot(path=file, full_page=full)
        assert watch.faults == []


async def main() -> None:
    with tempfile.TemporaryDirectory() as data:
        async with embedded_server(Path(data)) as url, async_playwright() as playwright:
            settings = Settings(
                redis_url=url,
                data=Path(data) / "own",
                port=0,
                console_port=0,
                public_url="https://in.shop.example",
            )
            async with run_collector(settings) as running:
                await _fill(running)
                browser = await playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
                if len(sys.argv) > 1:
                    for kind, options in KINDS.items():
                        names = {path: path.strip("/").replace("/", "_") + f"-{kind}.png" for path in EVERY}
                        files = {Path(sys.argv[1]) / name: path for path, name in names.items()}
                        await _take(running, browser, files, options, full=True)
                else:
                    files = {DOCS / f"{name}.png": path for name, path in SHOWN.items()}
                    await _take(running, browser, files, SMALL, full=False)
                await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
