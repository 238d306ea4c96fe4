"""One's own account: the password, the browsers that are signed in, the tokens of one's programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.access import SCOPES, AccessError, Caller
from collector.access.gate import ACCOUNT, CALLER, posted
from collector.enrich.agent import read
from collector.render import page, see_other

if TYPE_CHECKING:
    from aiohttp import web

    from collector.console.parts import Parts

DAYS = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "a year", "": "for ever"}


async def account(parts: Parts, request: web.Request) -> web.Response:
    """Show the account."""
    return await _show(parts, request)


async def change_password(parts: Parts, request: web.Request) -> web.Response:
    """Set another password, which ends every other session, for who knows the one there is."""
    given, caller, access = await posted(request), _caller(request), parts.gate.access
    if given.get("password", "") != given.get("again", ""):
        return await _show(parts, request, error="The passwords differ.")
    known = await access.knows(caller.name, given.get("current", ""), address=parts.gate.address(request))
    if not known:
        return await _show(parts, request, error="The present password is wrong.")
    try:
        await access.change_password(caller.name, given.get("password", ""), but=caller.session)
    except AccessError as error:
        return await _show(parts, request, error=str(error))
    return await _show(parts, request, done="The password is changed, and every other session has ended.")


async def end_session(parts: Parts, request: web.Request) -> web.Response:
    """End one of one's sessions."""
    sessions = parts.gate.access.sessions
    for session in await sessions.of(_caller(request).name):
        if session.id == request.match_info["session"]:
            await sessions.end(session)
    return see_other("/account")


async def end_other_sessions(parts: Parts, request: web.Request) -> web.Response:
    """End all of one's sessions but this one."""
    caller = _caller(request)
    await parts.gate.access.sessions.end_all(caller.name, but=caller.session)
    return see_other("/account")


async def make_token(parts: Parts, request: web.Request) -> web.Response:
    """Make a token with some of the scopes that the role has, and show it this once."""
    given, caller = await posted(request), _caller(request)
    scopes = [name for name in SCOPES if name in given and name in caller.scopes]
    days = float(given["days"]) if given.get("days") in DAYS and given["days"] else None
    try:
        token = await parts.gate.access.tokens.add(
            given.get("label", ""), scopes, account=caller.name, days=days
        )
    except AccessError as error:
        return await _show(parts, request, error=str(error))
    return await _show(parts, request, token=token)


async def remove_token(parts: Parts, request: web.Request) -> web.Response:
    """Refuse one of one's tokens from now on."""
    tokens = parts.gate.access.tokens
    if any(each.id == request.match_info["token"] for each in await tokens.of(_caller(request).name)):
        await tokens.remove(request.match_info["token"])
    return see_other("/account")


async def _show(
    parts: Parts, request: web.Request, *, error: str = "", done: str = "", token: str = ""
) -> web.Response:
    caller, access = _caller(request), parts.gate.access
    return page(
        request,
        "account.html",
        status=400 if error else 200,
        mine=request[ACCOUNT],
        who=caller,
        sessions=await access.sessions.of(caller.name),
        browser=_browser,
        tokens=await access.tokens.of(caller.name),
        scopes={name: about for name, (_, about) in SCOPES.items() if name in caller.scopes},
        days=DAYS,
        error=error,
        done=done,
        token=token,
    )


def _caller(request: web.Request) -> Caller:
    caller = request[CALLER]
    if caller is None:  # the guard lets nobody else here
        raise AccessError("Sign in first.")
    return caller


def _browser(text: str) -> str:
    """Return what people call a browser and its system."""
    told = read(text)
    named = [told[part]["name"] for part in ("browser", "os") if told[part]]
    return " on ".join(named) or "Unknown browser"
