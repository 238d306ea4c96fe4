"""Inbound traffic: every source at a glance, found by words, channel, bridge and tag."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.console.charts import sparkline
from collector.render import page

if TYPE_CHECKING:
    from aiohttp import web

    from collector.console.parts import Parts
    from collector.model import Source
    from collector.stats import Points

BRIDGES = {
    "web": "Website",
    "rest": "Server",
    "webhook": "Webhook",
    "email": "Mail",
    "queue": "Queue",
}


_MANY = 0.2  # of what came in the last hour was refused
_QUIET_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Line:
    """What the list shows of a source: its last hour, and how it does."""

    spark: list[tuple[int, float, float]]
    hour: int
    last: int
    refused: float
    word: str
    colour: str


async def inbound(parts: Parts, request: web.Request) -> web.Response:
    """Show the sources that fit the filters."""
    every = list(parts.catalogue)
    names = [source.id for source in every]
    hour, last = await parts.figures.recent(names), await parts.figures.last(names)
    wanted = {name: request.query.get(name, "").strip() for name in ("q", "bridge", "channel", "tag")}
    return page(
        request,
        "inbound.html",
        every=every,
        sources=[source for source in every if _fits(source, wanted)],
        wanted=wanted,
        lines={source.id: _line(source, hour[source.id], last[source.id]) for source in every},
        bridges=BRIDGES,
        channels=sorted({source.channel for source in every}),
        tags=sorted({tag for source in every for tag in source.tags}),
    )


def _line(source: Source, minutes: Points, last: int) -> Line:
    events = sum(counts.get("events", 0) for _, counts in minutes)
    refused = sum(counts.get("refused", 0) for _, counts in minutes)
    share = refused / (events + refused) if refused else 0.0
    return Line(
        sparkline(minutes, "events"), events, last, share, *_health(source, last, share, time.time() - last)
    )


def _health(source: Source, last: int, share: float, quiet_seconds: float) -> tuple[str, str]:
    """Return how a source does in a word, and the colour of the word."""
    if not source.enabled:
        return "Off", ""
    if share >= _MANY:
        return "Refusing", "bad"
    if not last:
        return "Waiting", "warn"
    return ("Quiet", "warn") if quiet_seconds > _QUIET_SECONDS else ("Well", "good")


def _fits(source: Source, wanted: dict[str, str]) -> bool:
    words = f"{source.id} {source.name} {source.description} {' '.join(source.tags)}".casefold()
    return (
        all(word in words for word in wanted["q"].casefold().split())
        and wanted["bridge"] in {"", source.bridge}
        and wanted["channel"] in {"", source.channel}
        and (not wanted["tag"] or wanted["tag"] in source.tags)
    )
