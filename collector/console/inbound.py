"""Inbound traffic: every source at a glance, found by words, channel, bridge and tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.render import page

if TYPE_CHECKING:
    from aiohttp import web

    from collector.console.parts import Parts
    from collector.model import Source

BRIDGES = {
    "web": "Website",
    "rest": "Server",
    "webhook": "Webhook",
    "email": "Mail",
    "queue": "Queue",
}


async def inbound(parts: Parts, request: web.Request) -> web.Response:
    """Show the sources that fit the filters."""
    every = list(parts.catalogue)
    wanted = {name: request.query.get(name, "").strip() for name in ("q", "bridge", "channel", "tag")}
    return page(
        request,
        "inbound.html",
        every=every,
        sources=[source for source in every if _fits(source, wanted)],
        wanted=wanted,
        bridges=BRIDGES,
        channels=sorted({source.channel for source in every}),
        tags=sorted({tag for source in every for tag in source.tags}),
    )


def _fits(source: Source, wanted: dict[str, str]) -> bool:
    words = f"{source.id} {source.name} {source.description} {' '.join(source.tags)}".casefold()
    return (
        all(word in words for word in wanted["q"].casefold().split())
        and wanted["bridge"] in {"", source.bridge}
        and wanted["channel"] in {"", source.channel}
        and (not wanted["tag"] or wanted["tag"] in source.tags)
    )
