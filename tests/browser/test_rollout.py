"""Two versions of a tracker and a token, in Chromium: each view counts once, whoever runs what."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from collector.tracker import render, snippet
from tests.browser.street import Door
from tests.conftest import until

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.conftest import Running

FRAMES = 60
# Of 60 fair coins fewer than 10 or more than 50 fall on one side once in ten million times.
SOME = range(10, 51)
SETTLED = "() => !Object.keys(localStorage).some(key => key.startsWith('hw:http'))"


async def views(running: Running, page: Page, tag: str) -> list[dict[str, Any]]:
    """Return the views of as many documents of one visitor as there are frames, once all have come."""

    async def answer(request: web.BaseRequest) -> web.Response:
        frames = "".join(f'<iframe src="/{number}"></iframe>' for number in range(FRAMES))
        shown = frames if request.path == "/" else tag
        head = '<!doctype html><link rel="icon" href="data:,">'
        return web.Response(text=head + shown, content_type="text/html")

    door = Door(answer)
    await door.open()
    await page.goto(f"http://127.0.0.1:{door.port}/")

    async def all_came() -> bool:
        return len(await running.events()) >= FRAMES

    await until(all_came)
    await page.wait_for_function(SETTLED)
    await door.close()
    return await running.events()


@pytest.mark.parametrize("mode", ["cookieless", "cookie"])
async def test_a_share_of_visitors_runs_the_new_version_and_every_view_counts_once(
    running: Running, page: Page, mode: str
) -> None:
    """In the mode cookie all documents are one visitor's, who stays with what was drawn first."""
    source = await running.add(privacy={"visitors": mode})
    await running.public.get(f"/s/{source.id}.js")
    staging = {"features": ["context"], "rollout": 50, "older": render(source).digest}
    await running.parts.catalogue.change(source.id, {"settings": staging})
    public = f"http://127.0.0.1:{running.parts.ports.public}"

    events = await views(running, page, snippet(source, public))

    paths = Counter(event["context"]["page"]["path"] for event in events)
    assert paths == Counter({f"/{number}": 1 for number in range(FRAMES)})
    new = sum("library" in event["context"] for event in events)
    assert new in (SOME if mode == "cookieless" else {0, FRAMES})


async def test_the_tracker_sends_its_token_from_page_to_page_and_for_what_an_earlier_hour_left(
    running: Running, page: Page
) -> None:
    """What waits is kept under an address without token, so the tracker of the next hour takes it over."""
    source = await running.add(settings={"token": "refuse"})
    public = f"http://127.0.0.1:{running.parts.ports.public}"
    left = {"batch": [{"type": "track", "event": "Left"}], "batchId": "b1", "context": {"page": {}}}
    key = f"hw:{public}/e/{source.id}:gone"
    await page.add_init_script(
        f"if (!sessionStorage.done) localStorage['{key}'] = JSON.stringify([0, [{left}]]);"
        "sessionStorage.done = 1"
    )

    async def answer(_request: web.BaseRequest) -> web.Response:
        return web.Response(text=f"<!doctype html>{snippet(source, public)}", content_type="text/html")

    door = Door(answer)
    await door.open()
    await page.goto(f"http://127.0.0.1:{door.port}/")

    async def both() -> bool:
        return len(await running.events()) >= 2

    await until(both)
    await door.close()
    events = await running.events()
    assert {event.get("event", event["type"]) for event in events} == {"Left", "page"}
    assert [event["collector"].get("flags") for event in events] == [None, None]
