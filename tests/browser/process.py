"""Browsers that are processes of their own: one to kill, and one that nobody watches while it prerenders."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import Error, async_playwright

from tests.browser.street import answers
from tests.conftest import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext

    from tests.browser.stage import Stage

ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# Playwright switches the browser's memory of pages off; visitors have it.
UNWANTED = ["--disable-back-forward-cache"]


# Where Chromium and Firefox write a site's storage, within a profile.
_STORAGE = ("Default/Local Storage/leveldb/*.log", "storage/default/*/ls/data.sqlite*")


def find_chromium() -> str:
    """Return the path of Debian's Chromium."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "install chromium, on Debian: apt-get install chromium"
    return path


async def killed_browser(stage: Stage) -> None:
    """Send one event that is acknowledged and one that is not, kill the browser, and start it again."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        async with stage.world.persistent(profile) as visitor:
            page = await stage.open("one", visitor)
            await stage.arrived("page one")
            stage.gate.faults.extend([answers(503)] * 100)
            await stage.track(page, "Before the kill")
            await _on_disk(Path(profile), "Before the kill")
            for pid in _processes(profile):
                os.kill(pid, signal.SIGKILL)
        stage.gate.faults.clear()
        async with stage.world.persistent(profile) as visitor:
            await stage.open("two", visitor)
            await stage.arrived(*stage.sent)


@asynccontextmanager
async def persistent_chromium(profile: str) -> AsyncIterator[BrowserContext]:
    """Run a Chromium of its own on a profile; yield its visitor."""
    async with async_playwright() as playwright:
        visitor = await playwright.chromium.launch_persistent_context(
            profile, executable_path=find_chromium(), args=ARGUMENTS, ignore_default_args=UNWANTED
        )
        yield visitor
        with contextlib.suppress(Error):  # it was killed
            await visitor.close()


async def _on_disk(profile: Path, text: str) -> None:
    """Wait until the browser has written its storage down, which it does every few seconds."""

    async def written() -> bool:
        files = (file for pattern in _STORAGE for file in profile.glob(pattern))
        return any(text.encode() in file.read_bytes() for file in files)

    await until(written)


def _processes(profile: str) -> list[int]:
    """Return the processes of the browser that uses a profile."""
    marks = {f"--user-data-dir={profile}".encode(), profile.encode()}
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if marks & _command(folder)]


def _command(folder: Path) -> set[bytes]:
    try:
        return set((folder / "cmdline").read_bytes().split(b"\0"))
    except OSError:  # it has ended meanwhile
        return set()


_SPECULATION = """
<script>
  if (location.pathname.endsWith('one')) {
    const rules = document.createElement('script')
    rules.type = 'speculationrules'
    rules.text = '{"prerender": [{"urls": ["two", "never"], "eagerness": "immediate"}]}'
    document.head.append(rules)
    setTimeout(() => { location.href = 'two' }, 2000)
  }
  if (document.prerendering)
    document.addEventListener('prerenderingchange', () => headwater('track', 'Activated'))
</script>
"""


async def unattended(stage: Stage) -> None:
    """Let a page prerender two others and go to one; a browser under automation prerenders nothing."""
    stage.pages.body = _SPECULATION
    stage.sent += ["page one", "page two", "Activated"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = await asyncio.create_subprocess_exec(
            find_chromium(),
            *ARGUMENTS,
            "--headless=new",
            f"--user-data-dir={profile}",
            stage.url("one"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await stage.arrived(*stage.sent)
        browser.terminate()
        await browser.wait()
