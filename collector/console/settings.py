"""The tab Settings: everything of a source that can be edited, and, apart, what cannot be undone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.access import Role
from collector.console.fields import (
    Field,
    bridge_fields,
    by_field,
    enrichment_fields,
    find,
    general_fields,
    option_fields,
    privacy_fields,
    read_form,
)
from collector.console.guard import require
from collector.console.tabs import tab
from collector.render import see_other
from collector.sources import SourceError, StaleError, plain
from collector.sources.enrichment import RuleSettings
from collector.sources.options import without_defaults

if TYPE_CHECKING:
    from aiohttp import web

    from collector.console.parts import Parts
    from collector.model import Source

_CHANGED_MEANWHILE = "Somebody changed this source since you opened the page. Look at it again, then save."
_UNLIKE = "That is not the id of this source; nothing was removed."


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form; all but the first open when asked, or when something in them is wrong."""

    title: str
    fields: list[Field]

    def wrong(self, errors: dict[str, str]) -> bool:
        """Tell whether a field of it has an error."""
        return any(field.path in errors for field in self.fields)


async def settings(parts: Parts, request: web.Request) -> web.Response:
    """Show the form."""
    source = parts.source(request)
    taken = [int(text) for name in ("taken", "of", "ms") if (text := request.query.get(name, "")).isdigit()]
    return _form(source, request, _values(source), {}, taken=taken if len(taken) == 3 else None)  # noqa: PLR2004


@require(Role.EDITOR)
async def save(parts: Parts, request: web.Request) -> web.Response:
    """Change the source and wait until the collectors have it; show what is wrong beside its field."""
    source = parts.source(request)
    sent = await request.post()
    fields = [field for section in _sections(source) for field in section.fields]
    values, errors = read_form(fields, sent)
    options = find(values, "settings.options")
    if options and not errors:
        values["settings"]["options"] = without_defaults(options)
    if not errors:
        try:
            return await _change(parts, source, values, version=_number(str(sent.get("version"))))
        except StaleError:
            errors[""] = _CHANGED_MEANWHILE
        except SourceError as error:
            errors = by_field(fields, error.errors or {"": str(error)})
    return _form(source, request, values, errors, status=422)


@require(Role.EDITOR)
async def switch(parts: Parts, request: web.Request) -> web.Response:
    """Let a source take hits, or refuse them all."""
    source = parts.source(request)
    sent = await request.post()
    return await _change(parts, source, {"enabled": sent.get("enabled") == "yes"})


@require(Role.EDITOR)
async def remove(parts: Parts, request: web.Request) -> web.Response:
    """Forget a source whose id was typed."""
    source = parts.source(request)
    sent = await request.post()
    if sent.get("id") != source.id:
        return _form(source, request, _values(source), {"": _UNLIKE}, status=422)
    await parts.catalogue.remove(source.id)
    return see_other("/sources")


async def _change(
    parts: Parts, source: Source, values: dict[str, Any], *, version: int | None = None
) -> web.Response:
    """Write a change, wait for the collectors, and lead back to the page that says so."""
    started = time.monotonic()
    await parts.catalogue.change(source.id, values, version=version)
    taken, among = await parts.roll.taken(await parts.catalogue.latest())
    ms = int((time.monotonic() - started) * 1000)
    return see_other(f"/sources/{source.id}/settings?taken={taken}&of={among}&ms={ms}")


def _sections(source: Source) -> list[Section]:
    sections = [
        Section("General", [field for field in general_fields() if field.path != "id"]),
        Section(_BRIDGE_TITLES[source.bridge], bridge_fields(source.bridge)),
    ]
    if source.bridge == "web":
        sections.append(Section("Options of the tracker", option_fields()))
    sections.append(Section("Privacy", privacy_fields()))
    sections.append(Section("Enrichment, rules and schemas", enrichment_fields()))
    return [section for section in sections if section.fields]


_BRIDGE_TITLES = {
    "web": "Website and tracker",
    "rest": "Server",
    "webhook": "Webhook",
    "email": "Mails",
    "queue": "Queue",
}


def _values(source: Source) -> dict[str, Any]:
    values = plain(source)
    rules = [RuleSettings.model_validate(rule) for rule in values["enrichment"]["rules"]]
    values["enrichment"]["rules"] = [rule.model_dump(exclude_defaults=True) for rule in rules]
    return values


def _form(
    source: Source,
    request: web.Request,
    values: dict[str, Any],
    errors: dict[str, str],
    *,
    status: int = 200,
    taken: list[int] | None = None,
) -> web.Response:
    sections = _sections(source)
    fields = [field for section in sections for field in section.fields]
    return tab(
        source,
        request,
        "settings",
        status=status,
        sections=sections,
        fields=fields,
        values=values,
        errors=errors,
        taken=taken,
    )


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
