"""Sessions: who a cookie belongs to, until it is unused for too long, too old, or revoked."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.access.digests import digest_of, new_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.settings import Settings
    from collector.store import Names, Redis

_SEEN_EVERY_SECONDS = 60
_MOST = 50  # of an account: a program without cookies behind a proxy that signs in begins one each time
_LONGEST_AGENT = 300
_ID_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. Times are seconds since 1970; ``proxied`` is one that a proxy's header began."""

    digest: str
    account: str
    began: float
    seen: float
    address: str = ""
    agent: str = ""
    proxied: bool = False

    @property
    def id(self) -> str:
        """Short name to show and to revoke it by; tells nothing of the cookie."""
        return self.digest[:_ID_CHARACTERS]


class Sessions:
    """All sessions, each a hash of Redis. Every method raises redis.exceptions.RedisError, OSError."""

    def __init__(
        self, redis: Redis, names: Names, settings: Settings, now: Callable[[], float] = time.time
    ) -> None:
        self._redis = redis
        self._names = names
        self._idle = settings.session_idle_hours * 3600
        self._longest = settings.session_days * 24 * 3600
        self._now = now

    async def begin(self, account: str, *, address: str = "", agent: str = "", proxied: bool = False) -> str:
        """Begin a session and return its secret, for the cookie."""
        secret, now = new_secret(), self._now()
        digest = digest_of(secret)
        fields = {
            "account": account,
            "began": now,
            "seen": now,
            "address": address,
            "agent": agent[:_LONGEST_AGENT],
            "proxied": int(proxied),
        }
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._names.session(digest), mapping=fields)  # type: ignore[arg-type]
            pipe.expire(self._names.session(digest), round(self._idle) + 1)
            pipe.sadd(self._names.sessions(account), digest)
            pipe.expire(self._names.sessions(account), round(self._longest) + 1)
            await pipe.execute()
        for oldest in (await self.of(account))[_MOST:]:
            await self.end(oldest)
        return secret

    async def find(self, secret: str) -> Session | None:
        """Return the session of a cookie while it lasts, and note that it is in use."""
        session = await self._read(digest_of(secret))
        if session is None:
            return None
        now = self._now()
        if now - session.seen > self._idle or now - session.began > self._longest:
            await self.end(session)
            return None
        if now - session.seen >= _SEEN_EVERY_SECONDS:
            await self._touch(session, now)
        return session

    async def of(self, account: str) -> list[Session]:
        """Return the sessions of an account, the latest first."""
        members: Any = await self._redis.smembers(self._names.sessions(account))
        found = [await self._read(digest.decode()) for digest in members]
        return sorted((each for each in found if each), key=lambda session: -session.began)

    async def end(self, session: Session) -> None:
        """End a session; its cookie is worth nothing from now on."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(self._names.session(session.digest))
            pipe.srem(self._names.sessions(session.account), session.digest)
            await pipe.execute()

    async def end_all(self, account: str, *, but: Session | None = None) -> None:
        """End every session of an account, save one."""
        for session in await self.of(account):
            if but is None or session.digest != but.digest:
                await self.end(session)

    async def _read(self, digest: str) -> Session | None:
        raw: Any = await self._redis.hgetall(self._names.session(digest))
        fields = {key.decode(): value.decode() for key, value in raw.items()}
        if not fields.get("account"):
            return None
        return Session(
            digest,
            fields["account"],
            float(fields["began"]),
            float(fields["seen"]),
            fields["address"],
            fields["agent"],
            fields["proxied"] == "1",
        )

    async def _touch(self, session: Session, now: float) -> None:
        key = self._names.session(session.digest)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, "seen", str(now))
            pipe.expire(key, round(self._idle) + 1)  # also what is left when it was revoked meanwhile
            await pipe.execute()
