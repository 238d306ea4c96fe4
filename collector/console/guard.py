"""Who may see a page: a session for all but the door itself, no write from other sites, strict headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import structlog
from aiohttp import web

from collector.access import Role, ThrottledError
from collector.access.gate import ACCOUNT, CALLER, NEW_SESSION, ForeignError
from collector.render import page, see_other
from collector.sources.history import acting
from collector.store import RedisError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Handler, Middleware

    from collector.access import Account
    from collector.access.gate import Gate

log = structlog.get_logger()

# What needs no session: what pages are drawn with, the API, which has its own check, and the door itself.
_OWN_CHECK = ("/static/", "/api/v1/")
_OPEN = ("/sign-in", "/invitation/", "/healthz")
_OPEN_TO_THIS_MACHINE = ("/demo/", "/metrics")

_STRANGERS_BYTES = 16 * 1024  # the forms of the door are small

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # no-referrer would make browsers send forms with `Origin: null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "headwater",
}
_HSTS = "max-age=31536000"


def guard(gate: Gate) -> Middleware:
    """Return the middleware that every request to the console goes through."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            answer = await _let_in(gate, request, handler)
        except ForeignError as error:
            answer = _message(request, 403, "Not from here", str(error))
        except ThrottledError as error:
            answer = _message(request, 429, "Please wait", str(error))
            answer.headers["Retry-After"] = str(error.retry_after)
        except RedisError as error:
            log.warning("console_without_redis", error=type(error).__name__)
            answer = _message(request, 503, "Redis is away", "Redis does not answer. Try again in a moment.")
        except (web.HTTPException, ConnectionError):
            raise  # an answer too; or who asked has gone
        except Exception:
            log.exception("fault", path=_pattern(request))
            answer = _message(request, 500, "A fault", "The console failed; the fault is in the log.")
        if NEW_SESSION in request:
            gate.give_cookie(answer, request[NEW_SESSION])
        return answer

    return check


def headers(gate: Gate) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return the signal that gives every answer its headers, streams and errors too."""

    async def add(_request: web.Request, response: web.StreamResponse) -> None:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["Server"] = HEADERS["Server"]
        if gate.secure:
            response.headers["Strict-Transport-Security"] = _HSTS

    return add


def require(role: Role) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a handler answer only accounts with this role or a higher one; others see why not."""

    def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
        async def checked(*arguments: Any) -> web.StreamResponse:
            account: Account | None = arguments[-1].get(ACCOUNT)
            if account is None or not account.role.covers(role):
                held = f"; yours is {account.role.value}" if account else ""
                text = f"This needs the role {role.value}{held}. Ask an admin."
                return _message(arguments[-1], 403, "Not allowed", text)
            answer: web.StreamResponse = await handler(*arguments)
            return answer

        return checked

    return decorate


async def _let_in(gate: Gate, request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith(_OWN_CHECK):
        return await handler(request)
    caller = await gate.by_cookie(request)
    request[CALLER], request[ACCOUNT] = caller, caller.account if caller else None
    if caller is None and request.body_exists and not 0 <= (request.content_length or -1) <= _STRANGERS_BYTES:
        return _message(request, 413, "Too large", "A form of this size is not taken from strangers.")
    await gate.check_write(request, caller)
    if caller or await _is_open(gate, request):
        with acting(caller.name if caller else ""):
            return await _answered(request, handler)
    return _ask_to_sign_in(request)


async def _is_open(gate: Gate, request: web.Request) -> bool:
    if request.path.startswith(_OPEN):
        return True
    if request.path.startswith(_OPEN_TO_THIS_MACHINE) and gate.is_local(request):
        return True
    if request.path != "/metrics":
        return False
    program = await gate.by_token(request)
    return program is not None and "stats:read" in program.scopes


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPNotFound as error:
        if error.text != "404: Not Found":
            raise
        return page(request, "missing.html", status=404)


def _ask_to_sign_in(request: web.Request) -> web.StreamResponse:
    """Lead people to the sign-in page and back; programs and scripts are told 401."""
    wants_page = "text/html" in request.headers.get("Accept", "")
    if not wants_page:
        text = "Sign in, or send a token where one is taken.\n"
        return web.Response(status=401, text=text, headers={"WWW-Authenticate": "Bearer"})
    if request.method not in {"GET", "HEAD"}:
        return see_other("/sign-in")
    return see_other("/sign-in?next=" + quote(request.path_qs, safe="/"))


def _pattern(request: web.Request) -> str:
    """Return the path without what stands in it: an invitation's is secret."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else ""


def _message(request: web.Request, status: int, title: str, text: str) -> web.Response:
    return page(request, "message.html", status=status, heading=title, text=text)
