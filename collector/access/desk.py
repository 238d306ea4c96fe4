"""The front desk: signs people in and out, and tells who a cookie or a token stands for."""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.access.accounts import Account, Accounts, check_account, check_name
from collector.access.errors import AccessError
from collector.access.invitations import Invitation, Invitations
from collector.access.passwords import Passwords
from collector.access.roles import Role
from collector.access.sessions import Session, Sessions
from collector.access.throttle import Throttle
from collector.access.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.settings import Settings
    from collector.store import Names, Redis


_USED = "This link has been used or is too old. Ask for a new one."


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks, by session or by token, and what they may do."""

    name: str
    scopes: frozenset[str]
    account: Account | None = None
    session: Session | None = None
    form_token: str = ""


class Access:
    """The one that the console, the API and the command line ask. Raises RedisError, OSError as it must."""

    def __init__(
        self, redis: Redis, names: Names, settings: Settings, now: Callable[[], float] = time.time
    ) -> None:
        self.accounts = Accounts(redis, names, Passwords())
        self.sessions = Sessions(redis, names, settings, now)
        self.tokens = Tokens(redis, names, now)
        self.invitations = Invitations(redis, names)
        self.throttle = Throttle(redis, names)

    async def sign_in(self, name: str, password: str, *, address: str, agent: str) -> str | None:
        """Return the secret of a new session, None when name or password is wrong. Raises ThrottledError."""
        account = await self.knows(name, password, address=address)
        if account is None:
            return None
        return await self.sessions.begin(account.name, address=address, agent=agent)

    async def knows(self, name: str, password: str, *, address: str) -> Account | None:
        """Return the account whose name and password these are. Raises ThrottledError."""
        await self.throttle.count(name, address)
        account = await self.accounts.verify(name, password)
        if account:
            await self.throttle.forgive(name, address)
        return account

    async def caller_of_cookie(self, secret: str) -> Caller | None:
        """Return who a cookie stands for, with the role that the account has now."""
        session = await self.sessions.find(secret)
        account = await self.accounts.find(session.account) if session else None
        if account is None:
            return None
        return Caller(account.name, account.role.scopes, account, session, form_token(secret))

    async def caller_of_token(self, text: str) -> Caller | None:
        """Return who a token stands for; one of an account can do no more than the account can now."""
        token = await self.tokens.find(text)
        if token is None:
            return None
        if not token.account:
            return Caller(f"token {token.label}", token.scopes)
        account = await self.accounts.find(token.account)
        if account is None:
            return None
        return Caller(f"{account.name} (token {token.label})", token.scopes & account.role.scopes)

    async def invite_first(self) -> str | None:
        """Return the secret of a link for the first account, None when there is an account."""
        if await self.accounts.any():
            return None
        return await self.invitations.make(Invitation(Role.ADMIN))

    async def invite(self, name: str, role: Role) -> str:
        """Return the secret of a link for an account, new or not. Raises AccessError for a bad name."""
        check_name(name)
        return await self.invitations.make(Invitation(role, name.strip().casefold()))

    async def accept(self, secret: str, name: str, password: str) -> Account:
        """Set the password that an invitation is for, once. Raises AccessError."""
        invitation = await self.invitations.look(secret)
        if invitation is None or (invitation.first and await self.accounts.any()):
            raise AccessError(_USED)
        name = invitation.name or name
        check_account(name, password)  # before the link is used up
        if not await self.invitations.use_up(secret):
            raise AccessError(_USED)
        if not invitation.first and await self.accounts.find(name):
            await self.change_password(name, password)
            return await self.accounts.get(name)
        return await self.accounts.add(name, invitation.role, password, first=invitation.first)

    async def change_password(self, name: str, password: str, *, but: Session | None = None) -> None:
        """Give an account another password and end its sessions, save one. Raises AccessError."""
        await self.accounts.set_password(name, password)
        await self.sessions.end_all(name.strip().casefold(), but=but)

    async def remove(self, name: str) -> None:
        """Forget an account with its sessions; its tokens are refused. Raises AccessError."""
        await self.accounts.remove(name)
        await self.sessions.end_all(name.strip().casefold())


def form_token(secret: str) -> str:
    """Return what the forms of a session carry; it tells nothing of the cookie."""
    return hmac.new(secret.encode(), b"form", "sha256").hexdigest()


def same_secret(one: str, other: str) -> bool:
    """Compare two secrets in a time that tells nothing."""
    return secrets.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))
