"""Mails while everything is broken: a link redirects and a pixel is a GIF, Redis or not, disk or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.bridges.web import GIF
from collector.settings import Settings
from tests.bridges.test_email import SHOP, follow, mail_source, token
from tests.conftest import run_collector

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.servers import Server

NO_DISK = 1 << 60  # free bytes that no disk has


@pytest.mark.parametrize("redis", ["hangs", "is dead"])
@pytest.mark.parametrize("spool", ["takes events", "is full"])
async def test_a_link_redirects_and_a_pixel_is_a_gif(
    server: Server, tmp_path: Path, redis: str, spool: str
) -> None:
    settings = Settings(
        redis_url=server.url,
        data=tmp_path,
        port=0,
        console_port=0,
        redis_timeout_seconds=1,
        spool_free_bytes=NO_DISK if spool == "is full" else 0,
    )
    async with run_collector(settings) as running:
        source = await mail_source(running)
        short = await running.parts.short_links.add(source, SHOP)
        if redis == "hangs":
            server.pause()
        else:
            server.kill()
        try:
            answers = [await follow(running, signed) for signed in (token(source), short.id)]
            pixel = await running.public.get(f"/p/{source.id}.gif?t={token(source, 'open')}")
            asked = await running.public.post(
                f"/u/{token(source, 'unsubscribe')}", data={"List-Unsubscribe": "One-Click"}
            )
            image = await pixel.read()
        finally:
            if redis == "hangs":
                server.go_on()

    assert [(each.status, each.headers["Location"]) for each in answers] == [(302, SHOP)] * 2
    assert (pixel.status, image) == (200, GIF)
    # An unsubscribe that is not safe must be sent again: it is not called done.
    assert asked.status == (200 if spool == "takes events" else 503)
    unsafe = "stream_unavailable" if spool == "is full" else None
    assert pixel.headers.get("X-Headwater-Reason") == unsafe
