"""Operations on what is held of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from collector.api.models import ForgottenView, HeldView, Timeline
from collector.api.operation import Call, Reply
from collector.people import Person, export, forget, person

if TYPE_CHECKING:
    from collector.api.models import PersonQuery
    from collector.people import Held


async def find_person(call: Call) -> Reply:
    """Return the events of a person from all sources, newest first."""
    found: list[Held] = []
    async for held in person(call.services.holdings, _person(call.body), before=call.body.cursor):
        found.append(held)
        if len(found) > call.body.limit:
            break
    shown = found[: call.body.limit]
    items = [HeldView(stream=each.stream, entry=each.entry, event=each.event) for each in shown]
    return Reply(Timeline(items=items, next=shown[-1].cursor if len(found) > len(shown) else None))


async def export_person(call: Call) -> web.StreamResponse:
    """Send all that is held of a person, one object a line: events, those that wait, kept deliveries."""
    found = export(call.services.holdings, _person(call.body))
    first = await anext(found, None)  # what cannot be answered is said before the answer begins
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(call.request)
    if first is not None:
        await response.write(orjson.dumps(first) + b"\n")
        async for line in found:
            await response.write(orjson.dumps(line) + b"\n")
    await response.write_eof()
    return response


async def forget_person(call: Call) -> Reply:
    """Remove what is held of a person, and leave a tombstone that consumers must apply."""
    gone = await forget(call.services.holdings, _person(call.body), block=call.body.block)
    return Reply(ForgottenView(events=gone.events, deliveries=gone.deliveries))


def _person(body: PersonQuery) -> Person:
    return Person(user=body.user, visitor=body.visitor, email=body.email)
