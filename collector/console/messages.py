"""The tab Messages: what became of each mail of a source, by people and by machines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from aiohttp import web

from collector.console.tabs import tab
from collector.stream.mail_report import report_of

if TYPE_CHECKING:
    from collector.console.parts import Parts

_LATELY = 500  # events that are looked through for messages
_LONGEST = 200


async def messages(parts: Parts, request: web.Request) -> web.Response:
    """Show the messages that something happened to lately, and the report of a chosen one."""
    source = parts.source(request)
    if source.bridge != "email":
        raise web.HTTPNotFound
    chosen = request.query.get("message", "").strip()[:_LONGEST]
    told = None
    if chosen:
        redis, names = parts.holdings.redis, parts.holdings.names
        told = await report_of(redis, names, source, chosen, partitions=parts.settings.partitions)
    lately: Counter[str] = Counter()
    for entry in await parts.feed.last(source.id, source.streams, _LATELY):
        properties = entry.body.get("properties")
        message = properties.get("email_id") if isinstance(properties, dict) else None
        if isinstance(message, str):
            lately[message] += 1
    return tab(source, request, "messages", chosen=chosen, told=told, lately=lately.most_common(50))
