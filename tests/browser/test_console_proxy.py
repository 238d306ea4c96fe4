"""The console behind Caddy over HTTPS, by the examples of docs/console, in a real browser."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.browser.proxies import EXAMPLES, certificate_in, started
from tests.conftest import run_collector
from tests.faults.servers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser

    from collector.settings import Settings
    from tests.conftest import Running

PASSWORD = "correct horse battery"  # noqa: S105 - of a test


@asynccontextmanager
async def behind_caddy(
    settings: Settings, folder: Path, example: str, **more: object
) -> AsyncIterator[tuple[Running, str]]:
    """Yield a collector whose console stands behind an example, and the address that browsers see."""
    port, console = free_port(), free_port()
    certificate_in(folder)
    asked = ("caddy", "hash-password", "--plaintext", PASSWORD)
    process = await asyncio.create_subprocess_exec(*asked, stdout=asyncio.subprocess.PIPE)
    digest = (await process.communicate())[0].decode().strip()
    text = (EXAMPLES.parent / "console" / example).read_text(encoding="utf-8")
    site = f"https://localhost:{port} {{\n\ttls {folder}/tls.pem {folder}/tls.key"
    for shown, value in {
        "console.example.com {": site,
        "127.0.0.1:8081": f"127.0.0.1:{console}",
        "HASH": digest,
    }.items():
        text = text.replace(shown, value)
    (folder / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + text)
    url = f"https://localhost:{port}"
    changed = {"console_url": url, "console_port": console, "trusted_proxies": ("127.0.0.1",), **more}
    command = ("caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile")
    async with run_collector(settings.model_copy(update=changed)) as running, started(command, folder, port):
        yield running, url


async def test_the_cookie_is_bound_to_the_host_and_forms_are_taken(
    settings: Settings, tmp_path: Path, browser: Browser
) -> None:
    async with behind_caddy(settings, tmp_path, "Caddyfile") as (running, url):
        page = await browser.new_page(ignore_https_errors=True)
        await page.goto(f"{url}/invitation/{await running.parts.access.invite_first()}")
        await page.fill("#name", "ada")
        await page.fill("#password", PASSWORD)
        await page.fill("#again", PASSWORD)
        await page.click("button.primary")
        await page.wait_for_url(f"{url}/sources")

        [cookie] = await page.context.cookies()
        assert (cookie["name"], cookie["secure"], cookie["domain"]) == ("__Host-headwater", True, "localhost")
        await page.goto(f"{url}/accounts")
        await page.fill("#name", "bob")
        await page.click("text=Make the link")
        assert f"{url}/invitation/" in await page.inner_text("pre")
        await page.click("text=Sign out")
        await page.wait_for_url(f"{url}/sign-in")


async def test_whom_the_proxy_has_signed_in_is_signed_in_here(
    settings: Settings, tmp_path: Path, browser: Browser
) -> None:
    named = {"identity_header": "X-User", "identity_proxies": ("127.0.0.1",)}
    async with behind_caddy(settings, tmp_path, "signed-in.Caddyfile", **named) as (running, url):
        await running.sign_in(name="ada")
        await running.sign_in(name="root")
        context = await browser.new_context(
            ignore_https_errors=True,
            http_credentials={"username": "ada", "password": PASSWORD},
            extra_http_headers={"X-User": "root"},
        )
        page = await context.new_page()
        await page.goto(f"{url}/account")

        assert await page.inner_text("h1") == "ada", "what the browser says of itself is overwritten"
        answer = await page.goto(f"{url}/api/v1/me")
        assert answer
        assert answer.status == 401, "programs need a token"
