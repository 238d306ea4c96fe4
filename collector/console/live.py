"""The tab Live: events and refusals of a source as they come, by server-sent events of ready-made rows."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from collector.console.advice import advice
from collector.console.show import headline, pieces
from collector.console.tabs import tab
from collector.render import environment
from collector.store import RedisError
from collector.stream.feed import REFUSED

if TYPE_CHECKING:
    from collector.console.parts import Parts
    from collector.model import Source
    from collector.stream.feed import Entry

_LAST = 30
_MOST_A_SECOND = 40  # what people can see go by; the rest is counted
_MOST_VIEWERS = 100
_BEAT_SECONDS = 10
_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def live(parts: Parts, request: web.Request) -> web.Response:
    """Show the last events and refusals; the page then follows by itself."""
    source = parts.source(request)
    since = await parts.feed.ends((*source.streams, REFUSED))  # first: what comes meanwhile is shown too
    events = await parts.feed.last(source.id, source.streams, _LAST)
    refusals = await parts.feed.last(source.id, [REFUSED], _LAST)
    return tab(
        source,
        request,
        "live",
        since=",".join(since),
        events=[row(source, entry) for entry in events],
        refusals=[row(source, entry) for entry in refusals],
    )


async def follow(parts: Parts, request: web.Request) -> web.StreamResponse:
    """Send each event and refusal of the source as it comes, until the page is left."""
    source = parts.source(request)
    if len(parts.viewers) >= _MOST_VIEWERS:
        raise web.HTTPServiceUnavailable(text="Too many people are watching; close another page.\n")
    response = web.StreamResponse(headers=_HEADERS)
    task = asyncio.current_task()
    assert task  # noqa: S101 - a handler runs in one
    parts.viewers.add(task)
    try:
        await response.prepare(request)
        await _send(parts, source, request, response)
    except (RedisError, OSError, asyncio.CancelledError):
        pass  # the page was left, Redis is away, or the collector ends; a page that is still there asks again
    finally:
        parts.viewers.discard(task)
    return response


def row(source: Source, entry: Entry) -> str:
    """Return an entry as a row of the page; everything in it is a stranger's and escaped."""
    if entry.refused:
        means, todo, where = advice(entry.body.get("reason", ""))
        template = environment().get_template("console/refusal_row.html")
        return template.render(entry=entry, source=source, means=means, todo=todo, where=where)
    template = environment().get_template("console/event_row.html")
    return template.render(entry=entry, head=headline(entry.body), pieces=pieces(entry.body, source))


async def _send(parts: Parts, source: Source, request: web.Request, response: web.StreamResponse) -> None:
    beat_at, second, sent = time.monotonic(), 0, 0
    # With an id a browser that asks again tells so: it goes on from then, not from when the page was made.
    await response.write(b"event: ready\nid: 1\ndata: {}\n\n")
    since = () if "Last-Event-ID" in request.headers else request.query.get("since", "").split(",")
    async for group in parts.feed.follow(source.id, (*source.streams, REFUSED), since):
        for entry in group:
            if int(time.monotonic()) != second:
                second, sent = int(time.monotonic()), 0
            sent += 1
            if sent <= _MOST_A_SECOND:
                await response.write(_message(source, entry))
            else:
                await response.write(b"event: more\ndata: {}\n\n")
        if time.monotonic() - beat_at > _BEAT_SECONDS:  # a page that was left is noticed, and a session's end
            beat_at = time.monotonic()
            if not await parts.gate.still_stands(request):
                return
            await response.write(b": still here\n\n")


def _message(source: Source, entry: Entry) -> bytes:
    kind = b"refused" if entry.refused else b"stored"
    data = orjson.dumps({"row": row(source, entry)})
    return b"event: " + kind + b"\ndata: " + data + b"\n\n"
