"""The gate: reads who asks from a request, and refuses writes that other sites have made a browser send."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http import HttpProcessingError

from collector.access.desk import same_secret
from collector.access.errors import AccessError
from collector.addresses import address_of, peer_of, within

if TYPE_CHECKING:
    from collector.access.accounts import Account
    from collector.access.desk import Access, Caller
    from collector.settings import Settings

# What a request of the console and the API carries once it is known who asks.
CALLER: web.RequestKey[Caller | None] = web.RequestKey("caller")
ACCOUNT: web.RequestKey[Account | None] = web.RequestKey("account")
NEW_SESSION = web.RequestKey("new_session", str)

FORM_FIELD = "form_token"
FORM_HEADER = "X-Form-Token"
_COOKIE = "headwater"
_BEARER = "bearer "
_DAY_SECONDS = 24 * 3600
_FORM_SECONDS = 10
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


class ForeignError(AccessError):
    """A write that did not begin on a page of this console."""

    def __init__(self) -> None:
        super().__init__("This form did not come from this console, or has been open for too long.")


class Gate:
    """Turns requests into callers, by the settings."""

    def __init__(self, access: Access, settings: Settings) -> None:
        self.access = access
        self._settings = settings
        self._own = settings.console_url
        self.secure = settings.console_url.startswith("https://")
        # __Host- binds the cookie to this host and to https; browsers refuse the name on plain http.
        self._cookie = f"__Host-{_COOKIE}" if self.secure else _COOKIE

    async def by_cookie(self, request: web.Request) -> Caller | None:
        """Return whose session the cookie is; one that a proxy's header began needs the header still."""
        secret = request.cookies.get(self._cookie, "")
        caller = await self.access.caller_of_cookie(secret) if secret else None
        named = self._named(request)
        if named is None:
            return None if caller and caller.session and caller.session.proxied else caller
        if caller and caller.name == named:
            return caller
        return await self._begin(request, named)

    async def by_token(self, request: web.Request) -> Caller | None:
        """Return who a bearer token stands for."""
        if not has_token(request):
            return None
        return await self.access.caller_of_token(request.headers["Authorization"][len(_BEARER) :].strip())

    async def still_stands(self, request: web.Request) -> bool:
        """Tell whether whoever asked may still be answered: for answers that go on for long."""
        by = self.by_token if has_token(request) else self.by_cookie
        return await by(request) is not None

    async def check_write(self, request: web.Request, caller: Caller | None) -> None:
        """Refuse what another site made the browser send. Raises ForeignError.

        Browsers tell where a form was in Origin and Sec-Fetch-Site; its token must be the session's too.
        """
        if request.method in _SAFE_METHODS:
            return
        if not self._from_own_page(request):
            raise ForeignError
        if caller is None:
            return
        given = request.headers.get(FORM_HEADER) or (await posted(request)).get(FORM_FIELD)
        if not given or not same_secret(given, caller.form_token):
            raise ForeignError

    def is_local(self, request: web.Request) -> bool:
        """Tell whether a request comes from this machine and through no proxy that is known to be there."""
        proxied = self._own or any(name in request.headers for name in _FORWARDED)
        peer, host = peer_of(request), urlsplit(f"//{request.host}").hostname or ""
        return not proxied and peer is not None and _is_loopback(peer) and _is_loopback(host)

    def address(self, request: web.Request) -> str:
        """Return the client's address, for the throttle and the list of sessions.

        Only proxies that are named are believed: their number says nothing of who reaches this listener.
        """
        return address_of(request, self._settings.trusted_proxies, hops=0) or ""

    def give_cookie(self, response: web.StreamResponse, secret: str) -> None:
        """Set the cookie of a session."""
        response.set_cookie(
            self._cookie,
            secret,
            max_age=round(self._settings.session_days * _DAY_SECONDS),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="Lax",
        )

    def take_cookie(self, response: web.StreamResponse) -> None:
        """Remove the cookie."""
        response.del_cookie(self._cookie, path="/", secure=self.secure, httponly=True, samesite="Lax")

    def _from_own_page(self, request: web.Request) -> bool:
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        own = self._own or f"{request.scheme}://{request.host}"
        return site == "same-origin" and request.headers.get("Origin") == own

    def _named(self, request: web.Request) -> str | None:
        """Return the account that a trusted proxy names, None when none does."""
        settings = self._settings
        header, peer = settings.identity_header, peer_of(request)
        if not header or not peer or not within(peer, settings.identity_proxies):
            return None
        return request.headers.get(header, "").strip().casefold() or None

    async def _begin(self, request: web.Request, name: str) -> Caller | None:
        """Begin the session of someone whom the proxy has signed in; they need an account here."""
        if await self.access.accounts.find(name) is None:
            return None
        agent = request.headers.get("User-Agent", "")
        secret = await self.access.sessions.begin(
            name, address=self.address(request), agent=agent, proxied=True
        )
        request[NEW_SESSION] = secret
        return await self.access.caller_of_cookie(secret)


def has_token(request: web.Request) -> bool:
    """Tell whether a bearer token was sent; what else stands there is for a proxy."""
    return request.headers.get("Authorization", "").casefold().startswith(_BEARER)


async def posted(request: web.Request) -> dict[str, str]:
    """Return the text fields of a form; one that cannot be read, or does not come in time, has none."""
    try:
        async with asyncio.timeout(_FORM_SECONDS):
            fields = await request.post()
    except (TimeoutError, ValueError, LookupError, HttpProcessingError):  # or broken UTF-8, charset, parts
        return {}
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
