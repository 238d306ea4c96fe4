"""Operations on sources: list, write, switch, try, and what they say of themselves."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import orjson

from collector.api.errors import ApiError
from collector.api.models import (
    ChangePage,
    ChangeView,
    FieldChange,
    Snippet,
    SourcePage,
    SourceView,
    Statement,
    Statements,
    TrialReport,
)
from collector.api.operation import Call, Reply, tag_of
from collector.protocols import native
from collector.protocols.message import message
from collector.protocols.payload import read_payload
from collector.protocols.segment import segment
from collector.protocols.webhook import webhook
from collector.sources import check_form, plain
from collector.sources.statement import statement
from collector.tracker import snippet
from collector.trial import dry_run, read_hit

if TYPE_CHECKING:
    from collector.api.models import SourceQuery
    from collector.model import Hit, Source
    from collector.protocols import Protocol

_ENTRY_PARTS = 2


async def list_sources(call: Call) -> Reply:
    """List sources, the oldest first."""
    query: SourceQuery = call.query
    after = _read_cursor(query.cursor)
    found = [
        source
        for source in call.services.catalogue
        if (not after or [source.created, source.id] > after) and _fits(source, query)
    ]
    found.sort(key=lambda source: (source.created, source.id))
    page = found[: query.limit]
    more = len(found) > len(page)
    return Reply(
        SourcePage(items=[view(each) for each in page], next=_cursor(page[-1]) if more and page else None)
    )


async def create_source(call: Call) -> Reply:
    """Make a source. Its id can be chosen once."""
    made = await call.services.catalogue.add(check_form(_without_keys(call.body)))
    return _reply(made, {"Location": f"/api/v1/sources/{made.id}"})


async def get_source(call: Call) -> Reply:
    """Return a source."""
    return _reply(call.source)


async def replace_source(call: Call) -> Reply:
    """Write a source anew; fields that are left out get their defaults, the bridge and its keys are kept.

    If-Match must name what was seen.
    """
    source = call.source
    fields = {"bridge": source.bridge, **_without_keys(call.body)}
    settings = fields.setdefault("settings", {})
    if fields["bridge"] == source.bridge and isinstance(settings, dict):
        settings |= _kept_keys(source)
    version = call.expected_version(source)
    return _reply(await call.services.catalogue.replace(source.id, fields, version=version))


async def change_source(call: Call) -> Reply:
    """Change fields of a source; privacy, enrichment and settings are merged key by key."""
    source = call.source
    version = call.expected_version(source)
    fields = _without_keys(call.body)
    return _reply(await call.services.catalogue.change(source.id, fields, version=version))


async def delete_source(call: Call) -> Reply:
    """Forget a source. Its events stay in the stream."""
    source = call.source
    await call.services.catalogue.remove(source.id, version=call.expected_version(source))
    return Reply()


async def enable_source(call: Call) -> Reply:
    """Take hits again."""
    return _reply(await call.services.catalogue.change(call.source.id, {"enabled": True}))


async def disable_source(call: Call) -> Reply:
    """Refuse all hits from now on."""
    return _reply(await call.services.catalogue.change(call.source.id, {"enabled": False}))


async def get_snippet(call: Call) -> Reply:
    """Return the tag to paste into a page's head."""
    source = call.source
    if source.bridge != "web":
        raise ApiError(409, f"{source.id!r} is a {source.bridge} source; only web sources have a snippet.")
    base = call.services.public if call.query.proxy is None else call.query.proxy
    return Reply(Snippet(html=snippet(source, base, integrity=call.query.integrity)))


async def get_statement(call: Call) -> Reply:
    """Return what a source collects and keeps, ready for a privacy page."""
    items = [Statement(heading=heading, text=text) for heading, text in statement(call.source)]
    return Reply(Statements(items=items))


async def list_changes(call: Call) -> Reply:
    """List who changed what at a source, the latest first; of removed sources too."""
    found = await call.services.catalogue.history(
        call.path("source"), before=_entry(call.query.cursor), most=call.query.limit
    )
    items = [
        ChangeView(
            at=each.at,
            who=each.who,
            what=each.what,
            version=each.version,
            fields=[FieldChange(path=path, before=old, after=new) for path, old, new in each.fields],
        )
        for each in found
    ]
    return Reply(ChangePage(items=items, next=found[-1].entry if len(found) == call.query.limit else None))


async def try_hit(call: Call) -> Reply:
    """Show what would be stored of a hit, and who did what to it. Nothing is stored."""
    source = call.source
    hit = read_hit(source, orjson.dumps(call.body.model_dump(exclude_none=True)))
    pipeline = call.services.pipeline
    reports = dry_run(hit, _protocol(source, hit), pipeline.enricher, call.services.settings)
    return Reply(TrialReport(items=reports))


def view(source: Source) -> SourceView:
    """Return a source as the API shows it: what is secret masked, keys without their digests."""
    told = orjson.loads(orjson.dumps(plain(source)))
    keys = told["settings"].get("keys")
    if keys is not None:
        told["settings"]["keys"] = [
            {name: value for name, value in key.items() if name not in {"digest", "secret"}} for key in keys
        ]
    return SourceView(**told, created=source.created, updated=source.updated, version=source.version)


def _reply(source: Source, headers: dict[str, str] | None = None) -> Reply:
    return Reply(view(source), {"ETag": tag_of(source), **(headers or {})})


def _without_keys(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave keys out: operations of their own, with a scope of their own, make and end them."""
    settings = fields.get("settings")
    if not isinstance(settings, dict):
        return dict(fields)
    return {**fields, "settings": {name: value for name, value in settings.items() if name != "keys"}}


def _kept_keys(source: Source) -> dict[str, Any]:
    """Return the keys of a source as they can be written back."""
    keys = plain(source)["settings"].get("keys")
    return {} if keys is None else {"keys": keys}


def _protocol(source: Source, hit: Hit) -> Protocol:
    if source.bridge == "webhook":
        return webhook(source.settings.plan)
    if source.bridge == "queue":
        return message(source.settings.format, source.settings.plan)
    if source.bridge == "rest":
        return segment(read_payload(hit.body, "application/json"), "batch")
    return native.beacon


def _fits(source: Source, query: SourceQuery) -> bool:
    words = f"{source.id} {source.name} {source.description} {' '.join(source.tags)}".casefold()
    return (
        query.bridge in {"", source.bridge}
        and query.channel in {"", source.channel}
        and (not query.tag or query.tag in source.tags)
        and all(word in words for word in query.q.casefold().split())
    )


def _cursor(source: Source) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([source.created, source.id])).decode()


def _read_cursor(text: str) -> list[str] | None:
    """Return what a cursor names. Raises ApiError 422."""
    if not text:
        return None
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(text.encode(errors="replace")))
    except (binascii.Error, ValueError):
        parts = None
    if not isinstance(parts, list) or [type(part) for part in parts] != [str, str]:
        raise ApiError(422, "The cursor is not one of this list.")
    return parts


def _entry(text: str) -> str:
    """Return the id of an entry that is a cursor. Raises ApiError 422."""
    parts = text.split("-")
    right = len(parts) == _ENTRY_PARTS and all(part.isascii() and part.isdigit() for part in parts)
    if text and not (right and all(int(part) < 2**63 for part in parts)):
        raise ApiError(422, "The cursor is not one of this list.")
    return text
