"""Find a person: their events from all sources in one timeline, to be handed out or forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from collector.access import Role
from collector.access.gate import posted
from collector.console.guard import require
from collector.console.show import headline, pieces
from collector.people import Person, PersonError, export, forget, person
from collector.render import page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.console.parts import Parts

_PAGE = 50


@require(Role.EDITOR)
async def ask(parts: Parts, request: web.Request) -> web.Response:
    """Show the form."""
    return _page(parts, request, Person())


@require(Role.EDITOR)
async def find(parts: Parts, request: web.Request) -> web.Response:
    """Show the timeline of whoever is named; by POST, so that no name stands in an address."""
    given = await posted(request)
    who = _named(given)
    try:
        before = given.get("before", "")
        found = [held async for held in _first(person(parts.holdings, who, before=before))]
    except PersonError as error:
        return _page(parts, request, who, error=str(error))
    return _page(parts, request, who, found=found)


@require(Role.EDITOR)
async def hand_out(parts: Parts, request: web.Request) -> web.StreamResponse:
    """Send all that is held of a person, one event a line."""
    who = _named(await posted(request))
    try:
        who.ids  # noqa: B018 - asks whether there is one
    except PersonError as error:
        return _page(parts, request, who, error=str(error))
    headers = {
        "Content-Type": "application/x-ndjson",
        "Content-Disposition": 'attachment; filename="person.ndjson"',
    }
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    async for each in export(parts.holdings, who):
        await response.write(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE))
    return response


@require(Role.ADMIN)
async def remove(parts: Parts, request: web.Request) -> web.Response:
    """Remove all that is held of a person."""
    given = await posted(request)
    who = _named(given)
    try:
        gone = await forget(parts.holdings, who, block="block" in given)
    except PersonError as error:
        return _page(parts, request, who, error=str(error))
    return _page(parts, request, Person(), gone=gone)


def _named(given: Mapping[str, str]) -> Person:
    return Person(*(given.get(name, "").strip() for name in ("user", "visitor", "email")))


async def _first(events: Any) -> Any:
    count = 0
    async for each in events:
        yield each
        count += 1
        if count == _PAGE:
            return


def _page(parts: Parts, request: web.Request, who: Person, **told: Any) -> web.Response:
    values = {"error": "", "found": None, "gone": None, **told}
    return page(
        request,
        "people.html",
        status=422 if values["error"] else 200,
        who=who,
        find_source=parts.catalogue.find,
        headline=headline,
        pieces=pieces,
        most=_PAGE,
        **values,
    )
