"""API tokens: for programs, with scopes, kept as digests, shown once."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from collector.access.digests import digest_of, new_secret
from collector.access.errors import AccessError
from collector.access.roles import SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from collector.store import Names, Redis

PREFIX = "hw_"  # so that people and secret scanners know what it is
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_LONGEST_LABEL = 100
_USED_EVERY_DAYS = 1 / (24 * 60)  # a write for each call would be one sync of the append-only file


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as people see it. ``account`` is whose it is; empty for one made in the shell."""

    id: str
    label: str
    scopes: frozenset[str]
    account: str = ""
    created: str = ""
    expires: str = ""
    used: str = ""


class Tokens:
    """All tokens, in one hash of Redis. Every method raises redis.exceptions.RedisError, OSError."""

    def __init__(self, redis: Redis, names: Names, now: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._names = names
        self._now = now

    async def add(
        self, label: str, scopes: Collection[str], *, account: str = "", days: float | None = None
    ) -> str:
        """Make a token and return it: the only time that it can be read. Raises AccessError."""
        if not scopes or set(scopes) - SCOPES.keys():
            raise AccessError(f"A token has one or more of these scopes: {', '.join(SCOPES)}.")
        if not 0 < len(label) <= _LONGEST_LABEL:
            raise AccessError(f"A label has 1 to {_LONGEST_LABEL} characters.")
        identifier = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        secret = new_secret()
        fields = {
            "label": label,
            "scopes": sorted(scopes),
            "account": account,
            "digest": digest_of(secret),
            "created": self._iso(),
            "expires": "" if days is None else self._iso(days),
        }
        await self._redis.hset(self._names.tokens, identifier, orjson.dumps(fields).decode())
        return f"{PREFIX}{identifier}_{secret}"

    async def find(self, text: str) -> ApiToken | None:
        """Return the token that a program carries while it is good, and note that it is in use."""
        if not text.startswith(PREFIX) or not text.isascii():
            return None
        identifier, _, secret = text.removeprefix(PREFIX).partition("_")
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hget(self._names.tokens, identifier)
            pipe.hget(self._names.tokens_used, identifier)
            raw, used = await pipe.execute()
        if raw is None:
            return None
        fields = orjson.loads(raw)
        ended = fields["expires"] and fields["expires"] <= self._iso()
        if ended or not secrets.compare_digest(fields["digest"], digest_of(secret)):
            return None
        if used is None or used.decode() < self._iso(-_USED_EVERY_DAYS):
            await self._redis.hset(self._names.tokens_used, identifier, self._iso())
        return _token(identifier, fields)

    async def all(self) -> list[ApiToken]:
        """Return every token, the latest first."""
        rows: Any = await self._redis.hgetall(self._names.tokens)
        used: Any = await self._redis.hgetall(self._names.tokens_used)
        found = [
            _token(identifier.decode(), orjson.loads(raw), used.get(identifier, b"").decode())
            for identifier, raw in rows.items()
        ]
        return sorted(found, key=lambda token: token.created, reverse=True)

    async def of(self, account: str) -> list[ApiToken]:
        """Return the tokens of an account, the latest first."""
        return [token for token in await self.all() if token.account == account]

    async def remove(self, identifier: str) -> None:
        """Refuse a token from now on. Raises AccessError."""
        if not await self._redis.hdel(self._names.tokens, identifier):
            raise AccessError(f"No token has the id {identifier!r}.")
        await self._redis.hdel(self._names.tokens_used, identifier)

    def _iso(self, days: float = 0) -> str:
        time = datetime.fromtimestamp(self._now(), UTC) + timedelta(days=days)
        return time.isoformat(timespec="seconds").replace("+00:00", "Z")


def _token(identifier: str, fields: dict[str, Any], used: str = "") -> ApiToken:
    kept = {name: fields[name] for name in ("label", "account", "created", "expires")}
    return ApiToken(identifier, scopes=frozenset(fields["scopes"]), used=used, **kept)
