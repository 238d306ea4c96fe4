"""A new source: chosen by what one wants to do, then a form with only what that needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from collector.access import Role
from collector.console.fields import Field, bridge_fields, by_field, general_fields, read_form
from collector.console.guard import require
from collector.model import CHANNEL_OF
from collector.render import page, see_other
from collector.sources import SETTINGS, SourceError, check_form

if TYPE_CHECKING:
    from collector.console.parts import Parts


@dataclass(frozen=True, slots=True)
class Purpose:
    """What somebody wants to do, the bridge for it, and the fields that they should think about first."""

    bridge: str
    title: str
    text: str
    first: tuple[str, ...] = ()


PURPOSES = (
    Purpose(
        "web",
        "Track a website",
        "A small script for your pages: views, clicks, forms, purchases, as much as you switch on.",
        ("settings.origins", "settings.preset"),
    ),
    Purpose(
        "webhook",
        "Receive webhooks",
        "GitHub, Stripe, Shopify, Typeform, a plain form, or anything else that can call an address.",
        ("settings.preset", "settings.secrets"),
    ),
    Purpose(
        "rest",
        "Send from a server or CRM",
        "From your own code, or from any client of Segment, RudderStack, Jitsu or Tracardi.",
    ),
    Purpose(
        "email",
        "Track a mail campaign",
        "Opens, clicks and unsubscribes, with signed links that lead exactly where you said.",
        ("settings.hosts",),
    ),
    Purpose(
        "queue",
        "Read a queue",
        "Messages of a broker's topic, acknowledged once they are safe.",
        tuple(f"settings.{name}" for name in ("broker", "address", "user", "password", "topic", "format")),
    ),
)
_GENERAL = ("name", "channel")


@require(Role.EDITOR)
async def choose(parts: Parts, request: web.Request) -> web.Response:  # noqa: ARG001 - every page has the same shape
    """Ask what one wants to do."""
    return page(request, "new.html", purposes=[each for each in PURPOSES if each.bridge in SETTINGS])


@require(Role.EDITOR)
async def fill_in(parts: Parts, request: web.Request) -> web.Response:  # noqa: ARG001
    """Show the empty form."""
    purpose = _purpose(request)
    return _form(request, purpose, {"channel": CHANNEL_OF[purpose.bridge]}, {})


@require(Role.EDITOR)
async def create(parts: Parts, request: web.Request) -> web.Response:
    """Make the source and lead to what is to be installed; show what is wrong beside its field."""
    purpose = _purpose(request)
    fields = [field for group in _groups(purpose).values() for field in group]
    values, errors = read_form(fields, await request.post())
    if not values["id"]:
        del values["id"]
    if not errors:
        try:
            source = await parts.catalogue.add(check_form({**values, "bridge": purpose.bridge}))
        except SourceError as error:
            errors = by_field(fields, error.errors or {"id": str(error)})
        else:
            return see_other(f"/sources/{source.id}/install")
    return _form(request, purpose, values, errors, status=422)


def _purpose(request: web.Request) -> Purpose:
    for each in PURPOSES:
        if each.bridge == request.match_info["bridge"] and each.bridge in SETTINGS:
            return each
    raise web.HTTPNotFound


def _groups(purpose: Purpose) -> dict[str, list[Field]]:
    """Return the fields by where they stand: first, or among the rest."""
    first = _GENERAL + purpose.first
    fields = [*general_fields(), *bridge_fields(purpose.bridge)]
    return {
        "first": [field for name in first for field in fields if field.path == name],
        "rest": [field for field in fields if field.path not in first],
    }


def _form(
    request: web.Request,
    purpose: Purpose,
    values: dict[str, Any],
    errors: dict[str, str],
    *,
    status: int = 200,
) -> web.Response:
    groups = _groups(purpose)
    return page(
        request,
        "new_source.html",
        status=status,
        purpose=purpose,
        values=values,
        errors=errors,
        rest_is_wrong=any(field.path in errors for field in groups["rest"]),
        **groups,
    )
