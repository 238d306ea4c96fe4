"""Operations on events: those that came last, those that come, refusals, figures, and tests."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from collector.api.errors import ApiError
from collector.api.models import (
    EntryList,
    EntryView,
    FigurePoint,
    Figures,
    RefusalList,
    RefusalView,
    TestResult,
    TopList,
    TopValue,
)
from collector.api.operation import Call, Reply
from collector.model import Reason
from collector.probe import KINDS, Wish, prepare, send
from collector.protocols.sample import SampleError
from collector.stats import REPORTS
from collector.stream.feed import REFUSED

if TYPE_CHECKING:
    from collector.model import Source
    from collector.stats import Top
    from collector.stream.feed import Entry

_MOST_LISTENERS = 100
_BEAT_SECONDS = 10
_HEADERS = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
_HELP = {reason.code: reason.help for reason in Reason}


async def list_events(call: Call) -> Reply:
    """Return the last events of a source, newest first."""
    source = call.source
    found = await call.services.feed.last(source.id, source.streams, call.query.limit)
    return Reply(EntryList(items=[_entry(each) for each in found]))


async def list_refusals(call: Call) -> Reply:
    """Return the last refusals of a source, newest first, each with its reason."""
    found = await call.services.feed.last(call.source.id, [REFUSED], call.query.limit)
    return Reply(RefusalList(items=[_refusal(each) for each in found]))


async def list_lost(call: Call) -> Reply:
    """Return the last refusals of hits that found no source, newest first."""
    found = await call.services.feed.last("", [REFUSED], call.query.limit)
    return Reply(RefusalList(items=[_refusal(each) for each in found]))


async def follow_source(call: Call) -> web.StreamResponse:
    """Send events and refusals of a source as they come: server-sent events named stored and refused.

    It ends when the token is removed or the session has ended.
    """
    source, listeners = call.source, call.services.listeners
    if len(listeners) >= _MOST_LISTENERS:
        raise ApiError(503, "Too many listen already.", headers={"Retry-After": "60"})
    response = web.StreamResponse(headers=_HEADERS)
    task = asyncio.current_task()
    assert task  # noqa: S101 - a handler runs in one
    try:
        listeners.add(task)
        await response.prepare(call.request)
        await _send(call, source, response)
    except (ConnectionError, asyncio.CancelledError):
        pass  # who listened has gone, or the collector ends
    finally:
        listeners.discard(task)
    return response


async def get_figures(call: Call) -> Reply:
    """Return what a source took in the last hour, day or week: counts by time, visitors, and lists."""
    report = REPORTS[call.query.report]
    found = await call.services.figures.overview(call.source.id, report)
    lists = {
        name: TopList(
            values=[TopValue(value=value, count=count) for value, count in top.values], exact=top.exact
        )
        for name, top in found.tops.items()
    }
    points = [FigurePoint(at=at, counts=counts) for at, counts in found.points]
    return Reply(
        Figures(begin=found.begin, step=report.step, points=points, visitors=found.visitors, lists=lists)
    )


async def send_test(call: Call) -> Reply:
    """Send a test through the public door, as the real sender would, and tell what became of it."""
    source = call.source
    if not KINDS[source.bridge]:
        raise ApiError(422, "This source is not sent to: it fetches by itself.")
    if call.body.kind not in KINDS[source.bridge]:
        raise ApiError(422, f"kind is one of: {', '.join(KINDS[source.bridge])}.")
    wish = Wish(call.body.kind, call.body.event, call.body.properties)
    try:
        result = await send(call.services, prepare(call.services, source, wish))
    except SampleError as error:
        raise ApiError(409, str(error)) from None
    if result.error:
        raise ApiError(502, result.error)
    return Reply(
        TestResult(
            status=result.status,
            reason=result.reason,
            answer=result.answer,
            entry=_entry(result.entry) if result.entry else None,
        )
    )


async def _send(call: Call, source: Source, response: web.StreamResponse) -> None:
    beat_at = time.monotonic()
    await response.write(b": here\n\n")
    async for group in call.services.feed.follow(source.id, (*source.streams, REFUSED)):
        for entry in group:
            await response.write(_message(entry))
        if time.monotonic() - beat_at > _BEAT_SECONDS:  # so that who has gone, or may no more, is noticed
            beat_at = time.monotonic()
            if not await call.services.gate.still_stands(call.request):
                return
            await response.write(b": still here\n\n")


def _message(entry: Entry) -> bytes:
    view = _refusal(entry) if entry.refused else _entry(entry)
    kind = b"refused" if entry.refused else b"stored"
    return (
        b"event: "
        + kind
        + b"\nid: "
        + entry.id.encode()
        + b"\ndata: "
        + orjson.dumps(view.model_dump(mode="json"))
        + b"\n\n"
    )


def _list(top: Top) -> TopList:
    values = [TopValue(value=value, count=count) for value, count in top.values]
    return TopList(values=values, exact=top.exact)


def _entry(entry: Entry) -> EntryView:
    return EntryView(stream=entry.stream, id=entry.id, event=entry.body)


def _refusal(entry: Entry) -> RefusalView:
    reason = entry.body.get("reason", "")
    return RefusalView(
        id=entry.id,
        at=entry.at,
        source=entry.body.get("source", ""),
        reason=reason,
        help=_HELP.get(reason, ""),
        detail=entry.body.get("detail", ""),
        where=entry.body.get("where", ""),
    )
