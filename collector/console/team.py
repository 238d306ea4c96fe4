"""Everybody's accounts, for admins: invite, change roles, let people set a new password, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.access import AccessError, Role
from collector.access.gate import posted
from collector.console.guard import require
from collector.render import page, see_other

if TYPE_CHECKING:
    from aiohttp import web

    from collector.console.parts import Parts

ABOUT = {
    Role.VIEWER: "sees sources, events, figures and health",
    Role.EDITOR: "also makes and changes sources, keys and links, sends tests, finds a person",
    Role.ADMIN: "also forgets people, sees and changes accounts",
}


@require(Role.ADMIN)
async def team(parts: Parts, request: web.Request) -> web.Response:
    """Show all accounts."""
    return await _show(parts, request)


@require(Role.ADMIN)
async def invite(parts: Parts, request: web.Request) -> web.Response:
    """Make a one-time link by which somebody sets the password of an account, new or not."""
    given = await posted(request)
    try:
        secret = await parts.gate.access.invite(given.get("name", ""), _role(given.get("role", "")))
    except AccessError as error:
        return await _show(parts, request, error=str(error))
    own = parts.settings.console_url or f"{request.scheme}://{request.host}"
    return await _show(
        parts, request, link=f"{own}/invitation/{secret}", invited=given.get("name", "").strip()
    )


@require(Role.ADMIN)
async def change_role(parts: Parts, request: web.Request) -> web.Response:
    """Give an account another role."""
    given = await posted(request)
    try:
        await parts.gate.access.accounts.set_role(request.match_info["name"], _role(given.get("role", "")))
    except AccessError as error:
        return await _show(parts, request, error=str(error))
    return see_other("/accounts")


@require(Role.ADMIN)
async def remove(parts: Parts, request: web.Request) -> web.Response:
    """Forget an account."""
    try:
        await parts.gate.access.remove(request.match_info["name"])
    except AccessError as error:
        return await _show(parts, request, error=str(error))
    return see_other("/accounts")


@require(Role.ADMIN)
async def remove_token(parts: Parts, request: web.Request) -> web.Response:
    """Refuse anybody's token from now on."""
    try:
        await parts.gate.access.tokens.remove(request.match_info["token"])
    except AccessError as error:
        return await _show(parts, request, error=str(error))
    return see_other("/accounts")


def _role(name: str) -> Role:
    """Return the role of this name. Raises AccessError."""
    try:
        return Role(name)
    except ValueError:
        raise AccessError("Choose a role.") from None


async def _show(
    parts: Parts, request: web.Request, *, error: str = "", link: str = "", invited: str = ""
) -> web.Response:
    return page(
        request,
        "accounts.html",
        status=400 if error else 200,
        accounts=await parts.gate.access.accounts.all(),
        tokens=await parts.gate.access.tokens.all(),
        roles=ABOUT,
        error=error,
        link=link,
        invited=invited,
    )
