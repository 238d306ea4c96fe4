"""Hostile options and addresses in Chromium: the tracker alone runs, and says what stood there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from aiohttp import web

from collector.tracker import snippet
from tests.browser.street import Door
from tests.conftest import until
from tests.hardening.test_tracker_bytes import HOSTILE, settings

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.conftest import Running

TRAP = "window.ran = 0; window.pwned = () => { ran += 1 }; window.alert = pwned"


async def test_hostile_options_addresses_and_titles_arrive_as_text_and_run_nothing(
    running: Running, page: Page
) -> None:
    """Each case has a source of its own; ``endpoint`` is left out, so that its events find the way."""
    tags = []
    for number, text in enumerate(HOSTILE):
        told = settings(text).model_dump(exclude_defaults=True)
        told["options"] |= {"endpoint": "", "global": f"hw{number}", "clean": []}
        source = await running.add(name="Test", settings=told, privacy={"parameters": ["*"]})
        tags.append(snippet(source, f"http://127.0.0.1:{running.parts.ports.public}"))

    async def answer(request: web.BaseRequest) -> web.Response:
        number = request.path.split("/")[1].replace("favicon.ico", "0")
        head = f"<!doctype html><title>{number}</title><script>{TRAP}</script>"
        return web.Response(text=head + tags[int(number)], content_type="text/html")

    async def came(count: int) -> bool:
        return sum(event["type"] == "page" for event in await running.events()) >= count

    door = Door(answer)
    await door.open()
    paths = [f"/{number}/{_in_path(text)}?q={quote(text)}" for number, text in enumerate(HOSTILE)]
    for count, path in enumerate(paths, 1):
        await page.goto(f"http://127.0.0.1:{door.port}{path}#{quote(HOSTILE[count - 1])}")
        await until(partial(came, count))
        assert await page.evaluate("() => ran") == 0
    await door.close()

    views = [event["context"]["page"] for event in await running.events() if event["type"] == "page"]
    assert [unquote(view["path"]) for view in views] == [unquote(path.split("?")[0]) for path in paths]


def _in_path(text: str) -> str:
    """Return a text as a part of a path; this test's own site takes no line breaks there."""
    return quote(text, safe="") if "\n" not in text else "lines"
