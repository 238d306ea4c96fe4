"""Invitations: one-time links by which a person sets the password of an account, the first one's too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from collector.access.digests import digest_of, new_secret
from collector.access.roles import Role

if TYPE_CHECKING:
    from collector.store import Names, Redis

SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a link is for: the first account, a new one by name and role, or another password."""

    role: Role
    name: str = ""

    @property
    def first(self) -> bool:
        """Whether it is for the first account, whose name is chosen by whoever follows it."""
        return not self.name


class Invitations:
    """Links that work once, for a day. Every method raises redis.exceptions.RedisError, OSError."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self._redis = redis
        self._names = names

    async def make(self, invitation: Invitation) -> str:
        """Return the secret of a new link."""
        secret = new_secret()
        fields = orjson.dumps({"role": invitation.role.value, "name": invitation.name})
        await self._redis.set(self._names.invitation(digest_of(secret)), fields, ex=SECONDS)
        return secret

    async def look(self, secret: str) -> Invitation | None:
        """Return what a link is for while it works."""
        return _read(await self._redis.get(self._names.invitation(digest_of(secret))))

    async def use_up(self, secret: str) -> bool:
        """End a link; True for the one who was first."""
        return bool(await self._redis.delete(self._names.invitation(digest_of(secret))))


def _read(raw: Any) -> Invitation | None:
    if raw is None:
        return None
    fields = orjson.loads(raw)
    return Invitation(Role(fields["role"]), fields["name"])
