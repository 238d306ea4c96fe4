"""A tab that the browser itself discards. Under automation it keeps its tabs, so an extension asks it to."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.process import ARGUMENTS, find_chromium

if TYPE_CHECKING:
    from tests.browser.stage import Stage

_MANIFEST = {
    "manifest_version": 3,
    "name": "Discard",
    "version": "1",
    "permissions": ["tabs"],
    "background": {"service_worker": "discard.js"},
}

# Puts another tab in front once the page says that its event is kept, discards the page, and returns to it.
_DISCARD = """
const look = async () => {
  const [tab] = await chrome.tabs.query({title: 'kept'})
  if (!tab) return setTimeout(look, 100)
  await chrome.tabs.create({url: 'about:blank'})
  const {id} = await chrome.tabs.discard(tab.id)
  await chrome.tabs.update(id, {active: true})
}
look()
"""

_PAGE = """
<script>
  if (document.wasDiscarded) headwater('track', 'After the discard')
  else if (location.pathname.endsWith('one')) {
    headwater('track', 'Before the discard')
    setInterval(() => {
      if (Object.values(localStorage).join().includes('Before the discard')) document.title = 'kept'
    }, 100)
  }
</script>
"""


async def discarded_tab(stage: Stage) -> None:
    """Let the browser discard a tab whose events wait, and the visitor return to it."""
    stage.pages.body = _PAGE
    stage.sent += ["page one", "Before the discard", "page one", "After the discard"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        extension = Path(folder) / "extension"
        extension.mkdir()
        (extension / "manifest.json").write_text(json.dumps(_MANIFEST), encoding="utf-8")
        (extension / "discard.js").write_text(_DISCARD, encoding="utf-8")
        browser = await asyncio.create_subprocess_exec(
            find_chromium(),
            *ARGUMENTS,
            "--headless=new",
            "--disable-features=DisableLoadExtensionCommandLineSwitch",
            f"--load-extension={extension}",
            f"--user-data-dir={folder}/profile",
            stage.url("one"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await stage.arrived(*stage.sent)
        browser.terminate()
        await browser.wait()
