"""The door in a real browser: the one-time link, the cookie on plain http, and another site's forms."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from collector.access import Role
from tests.conftest import run_collector

if TYPE_CHECKING:
    from playwright.async_api import Page

    from collector.settings import Settings

PASSWORD = "correct horse battery"  # noqa: S105 - of a test
_EVIL = """<!doctype html><form id="f" method="post" action="{}"><input name="name" value="eve">
<input name="role" value="admin"><input name="password" value="{}"></form><script>f.submit()</script>"""


async def test_from_the_one_time_link_to_signing_out(settings: Settings, page: Page) -> None:
    async with run_collector(settings) as running:
        console = f"http://127.0.0.1:{running.parts.ports.console}"
        foreign, faults = [], []
        page.on("request", lambda request: request.url.startswith(console) or foreign.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: message.type == "error" and faults.append(message.text))

        await page.goto(f"{console}/invitation/{await running.parts.access.invite_first()}")
        await page.fill("#name", "ada")
        await page.fill("#password", PASSWORD)
        await page.fill("#again", PASSWORD)
        await page.click("button.primary")
        await page.wait_for_url(f"{console}/sources")
        [cookie] = await page.context.cookies()
        assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("headwater", True, "Lax")

        await page.click("text=Sign out")
        await page.wait_for_url(f"{console}/sign-in")
        assert await page.context.cookies() == []
        await page.goto(f"{console}/account")
        await page.fill("#name", "ada")
        await page.fill("#password", PASSWORD)
        await page.click("button.primary")
        await page.wait_for_url(f"{console}/account")

        assert (foreign, faults) == ([], [])


async def test_another_site_can_post_nothing_with_a_session(settings: Settings, page: Page) -> None:
    async with run_collector(settings) as running:
        console = f"http://127.0.0.1:{running.parts.ports.console}"
        await running.parts.access.accounts.add("ada", Role.ADMIN, PASSWORD)
        await page.goto(f"{console}/sign-in")
        await page.fill("#name", "ada")
        await page.fill("#password", PASSWORD)
        await page.click("button.primary")
        await page.wait_for_url(f"{console}/sources")

        for path in ("/accounts", "/sign-out", "/sign-in"):
            site = web.Application()
            site.router.add_get("/", partial(_html, _EVIL.format(console + path, PASSWORD)))
            runner = web.AppRunner(site)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            async with page.expect_response(console + path) as answer:
                await page.goto(f"http://localhost:{runner.addresses[0][1]}/")

            assert (await answer.value).status == 403
            await runner.cleanup()
        await page.goto(f"{console}/account")
        assert await page.inner_text("h1") == "ada", "still signed in, as the same"


async def _html(text: str, _request: web.Request) -> web.Response:
    return web.Response(text=text, content_type="text/html")
