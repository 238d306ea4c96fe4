"""The pixel: always a GIF, never kept, the reason in a header."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.exchange import GIF

if TYPE_CHECKING:
    from tests.conftest import Running

BOTH_WAYS = True


async def test_a_pixel_stores_one_event(running: Running) -> None:
    source = await running.add()

    answer = await running.public.get(f"/p/{source.id}.gif?event=Opened&url=https://a.example/")

    assert (answer.status, await answer.read()) == (200, GIF)
    assert len(GIF) == 43
    assert (await running.events())[0]["event"] == "Opened"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/p/nobody.gif", "unknown_source"),
        ("/p/{}.gif?type=nonsense", "unknown_type"),
        ("/p/{}.gif?event=" + "x" * 600, "field_too_long"),
        ("/p/{}.gif?event=x" + "&a=1" * 100, "bad_request"),
    ],
)
async def test_a_refused_pixel_is_a_gif_with_the_reason(running: Running, path: str, reason: str) -> None:
    source = await running.add()

    answer = await running.public.get(path.format(source.id))

    assert (answer.status, await answer.read()) == (200, GIF)
    assert answer.headers["Cache-Control"] == "no-store, private, max-age=0"
    assert reason == answer.headers["X-Headwater-Reason"]
    assert await running.events() == []


async def test_a_head_request_is_no_event(running: Running) -> None:
    source = await running.add()

    answer = await running.public.head(f"/p/{source.id}.gif")

    assert answer.status == 200
    assert await running.events() == []
