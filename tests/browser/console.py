"""The console under a real browser: signed in, watched for what must never happen, judged by axe."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, BrowserContext, Page

    from tests.conftest import Running

AXE = Path(__file__).parents[2] / "snippet" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 360, "height": 740}


@dataclass
class Watch:
    """What a browser did that it must not: faults, dialogs, requests to others."""

    own: str
    faults: list[str] = field(default_factory=list)

    def page(self, page: Page) -> None:
        """Watch a page; what violates the Content-Security-Policy is told on its console."""
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("console", lambda told: self._told(page, told))
        page.on("dialog", lambda dialog: self.faults.append(f"{page.url}: dialog {dialog.message}"))
        page.on("request", lambda request: self._asked(request.url))

    def _told(self, page: Page, told: Any) -> None:
        if told.type == "error" and "status of 4" not in told.text:
            self.faults.append(f"{page.url}: {told.text}")

    def _asked(self, url: str) -> None:
        if urlsplit(url).netloc != urlsplit(self.own).netloc and not url.startswith("data:"):
            self.faults.append(f"asked for {url}")


@asynccontextmanager
async def console(
    running: Running, browser: Browser, **options: Any
) -> AsyncIterator[tuple[BrowserContext, Page, Watch]]:
    """Yield a browser context that is signed in as an admin, a page of it, and its watch."""
    base = f"http://127.0.0.1:{running.parts.ports.console}"
    if not running.form_token:
        await running.sign_in()
    context = await browser.new_context(base_url=base, **options)
    secret = running.console.headers["Cookie"].partition("=")[2]
    await context.add_cookies([{"name": "headwater", "value": secret, "url": base}])
    page, watch = await context.new_page(), Watch(base)
    watch.page(page)
    yield context, page, watch
    await context.close()


@asynccontextmanager
async def site(html: str) -> AsyncIterator[str]:
    """Serve a page on an origin of its own and yield the origin."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(
            text=f"<!doctype html><title>Shop</title><head>{html}</head>", content_type="text/html"
        )

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def serious(page: Page, *rules: str) -> list[str]:
    """Return what axe finds serious or critical on a page, by all its rules or some; each with a place."""
    assert AXE.exists(), "cd snippet && npm ci"
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    found: Any = await page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{urlsplit(page.url).path}: {each['id']} at {each['nodes'][0]['html'][:200]}"
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
    ]


async def overflow(page: Page) -> int:
    """Return by how many pixels a page is wider than the window, and its tabs are higher than their strip."""
    wide = int(await page.evaluate("document.documentElement.scrollWidth - innerWidth"))
    strips = "strips => strips.map(strip => strip.scrollHeight - strip.clientHeight)"
    return wide + sum(await page.eval_on_selector_all(".tabs", strips))
