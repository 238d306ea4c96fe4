"""The tab Test: send something through the public door and see each step, or what would be stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from collector.access import Role
from collector.access.gate import posted
from collector.console.advice import advice
from collector.console.guard import require
from collector.console.show import pieces
from collector.console.tabs import tab
from collector.probe import KINDS, Result, Wish, prepare, send, try_out
from collector.protocols.sample import SampleError

if TYPE_CHECKING:
    from aiohttp import web

    from collector.console.parts import Parts
    from collector.model import Source

# What the tester's own browser says of itself, so that the test is taken for a person's.
_OF_BROWSER = ("User-Agent", "Accept-Language")


async def ask(parts: Parts, request: web.Request) -> web.Response:
    """Show the form."""
    return _page(parts.source(request), request, {})


@require(Role.EDITOR)
async def test(parts: Parts, request: web.Request) -> web.Response:
    """Send the test, or try it, and show what became of it step by step."""
    source = parts.source(request)
    given = await posted(request)
    try:
        wish = _wish(source, request, given)
        sent = prepare(parts, source, wish)
    except (ValueError, SampleError) as error:
        return _page(source, request, given, error=str(error), status=422)
    result = try_out(parts, sent) if "dry" in given else await send(parts, sent)
    return _page(source, request, given, result=result)


def _wish(source: Source, request: web.Request, given: dict[str, str]) -> Wish:
    """Return what is to be sent. Raises ValueError with a sentence."""
    kind = given.get("kind", "")
    if kind not in KINDS.get(source.bridge, {}):
        raise ValueError("Choose what to send.")
    text = given.get("properties", "").strip() or "{}"
    if not text.startswith("{"):
        raise ValueError('Properties must be a JSON object, such as {"plan": "pro"}.')
    try:
        properties: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"Properties are not JSON: {error}.") from None
    browser = {name: request.headers[name] for name in _OF_BROWSER if name in request.headers}
    return Wish(kind, given.get("event", "").strip()[:200], properties, browser)


def _page(
    source: Source,
    request: web.Request,
    given: dict[str, str],
    *,
    result: Result | None = None,
    error: str = "",
    status: int = 200,
) -> web.Response:
    return tab(
        source,
        request,
        "test",
        status=status,
        kinds=KINDS.get(source.bridge, {}),
        given=given,
        result=result,
        error=error,
        pieces=pieces,
        advice=advice,
    )
