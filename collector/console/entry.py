"""The door: signing in and out, and the one-time links by which people set their passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.access import AccessError
from collector.access.gate import ACCOUNT, CALLER, posted
from collector.render import page, see_other

if TYPE_CHECKING:
    from aiohttp import web

    from collector.access import Account
    from collector.console.parts import Parts

_WRONG = "Name or password is wrong."


async def sign_in(parts: Parts, request: web.Request) -> web.Response:
    """Show the form, or say how the first account is made."""
    if request[ACCOUNT]:
        return see_other(_own_path(request.query.get("next", "")))
    return await _form(parts, request, next=_own_path(request.query.get("next", "")))


async def take_sign_in(parts: Parts, request: web.Request) -> web.StreamResponse:
    """Begin a session when name and password are right."""
    given = await posted(request)
    target = _own_path(given.get("next", ""))
    gate = parts.gate
    secret = await gate.access.sign_in(
        given.get("name", ""),
        given.get("password", ""),
        address=gate.address(request),
        agent=request.headers.get("User-Agent", ""),
    )
    if secret is None:
        return await _form(parts, request, status=403, next=target, name=given.get("name", ""), error=_WRONG)
    answer = see_other(target)
    gate.give_cookie(answer, secret)
    return answer


async def sign_out(parts: Parts, request: web.Request) -> web.StreamResponse:
    """End the session."""
    caller = request[CALLER]
    if caller and caller.session:
        await parts.gate.access.sessions.end(caller.session)
    answer = see_other("/sign-in")
    parts.gate.take_cookie(answer)
    return answer


async def invitation(parts: Parts, request: web.Request) -> web.Response:
    """Show the form of a one-time link."""
    return await _invitation_form(parts, request)


async def take_invitation(parts: Parts, request: web.Request) -> web.StreamResponse:
    """Set the password that a one-time link is for, and sign in."""
    given = await posted(request)
    if given.get("password", "") != given.get("again", ""):
        return await _invitation_form(
            parts, request, status=400, name=given.get("name", ""), error="The passwords differ."
        )
    try:
        account = await parts.gate.access.accept(
            request.match_info["secret"], given.get("name", ""), given.get("password", "")
        )
    except AccessError as error:
        return await _invitation_form(
            parts, request, status=400, name=given.get("name", ""), error=str(error)
        )
    return await _signed_in(parts, request, account)


async def _signed_in(parts: Parts, request: web.Request, account: Account) -> web.Response:
    gate = parts.gate
    secret = await gate.access.sessions.begin(
        account.name, address=gate.address(request), agent=request.headers.get("User-Agent", "")
    )
    answer = see_other("/")
    gate.give_cookie(answer, secret)
    return answer


async def _form(
    parts: Parts, request: web.Request, *, status: int = 200, name: str = "", error: str = "", **values: str
) -> web.Response:
    empty = not await parts.gate.access.accounts.any()
    return page(request, "sign_in.html", status=status, name=name, error=error, empty=empty, **values)


async def _invitation_form(
    parts: Parts, request: web.Request, *, status: int = 200, name: str = "", error: str = ""
) -> web.Response:
    access = parts.gate.access
    found = await access.invitations.look(request.match_info["secret"])
    if found is None or (found.first and await access.accounts.any()):
        text = "This link has been used or is too old. Ask for a new one."
        return page(request, "message.html", status=404, heading="The link has ended", text=text)
    return page(
        request, "invitation.html", status=status, invitation=found, name=found.name or name, error=error
    )


def _own_path(path: str) -> str:
    """Return a path of this console; whatever leads elsewhere becomes the first page."""
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if own and "\\" not in path else "/"
