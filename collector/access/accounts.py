"""Accounts: people with a name, a role and a password. The password is kept as its argon2id hash only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from collector.access.errors import AccessError
from collector.access.passwords import check_password
from collector.access.roles import Role

if TYPE_CHECKING:
    from collector.access.passwords import Passwords
    from collector.store import Names, Redis

_NAME = re.compile(r"[\w.@+-]{1,100}")


@dataclass(frozen=True, slots=True)
class Account:
    """Who has signed in."""

    name: str
    role: Role
    created: str = ""


class Accounts:
    """All accounts, in one hash of Redis. Every method raises redis.exceptions.RedisError, OSError."""

    def __init__(self, redis: Redis, names: Names, passwords: Passwords) -> None:
        self._redis = redis
        self._key = names.accounts
        self._passwords = passwords

    async def all(self) -> list[Account]:
        """Return every account, by name."""
        rows: Any = await self._redis.hgetall(self._key)
        return sorted((_account(name.decode(), orjson.loads(raw)) for name, raw in rows.items()), key=_name)

    async def any(self) -> bool:
        """Tell whether there is an account."""
        return bool(await self._redis.hlen(self._key))

    async def find(self, name: str) -> Account | None:
        """Return the account of this name."""
        fields = await self._read(name)
        return _account(_folded(name), fields) if fields else None

    async def get(self, name: str) -> Account:
        """Return the account of this name, or raise AccessError."""
        account = await self.find(name)
        if account is None:
            raise AccessError(f"No account is called {name!r}.")
        return account

    async def verify(self, name: str, password: str) -> Account | None:
        """Return the account when the password is its own; an unknown name takes as long."""
        fields = await self._read(name)
        encoded = fields["password"] if fields else None
        if not await self._passwords.matches(encoded, password) or fields is None:
            return None
        if self._passwords.outdated(fields["password"]):
            await self._change(name, {"password": await self._passwords.hash(password)})
        return _account(_folded(name), fields)

    async def add(self, name: str, role: Role, password: str, *, first: bool = False) -> Account:
        """Make an account; ``first`` allows it only while there is none. Raises AccessError."""
        check_account(name, password)
        name = _folded(name)
        fields = {"role": role.value, "password": await self._passwords.hash(password), "created": _now()}

        async def write(pipe: Any) -> None:
            taken = await pipe.hlen(self._key) if first else await pipe.hexists(self._key, name)
            if taken:
                what = "The first account has been made already" if first else f"{name!r} exists already"
                raise AccessError(f"{what}.")
            pipe.multi()
            pipe.hset(self._key, name, orjson.dumps(fields))

        await self._redis.transaction(write, self._key)
        return _account(name, fields)

    async def set_password(self, name: str, password: str) -> None:
        """Give an account another password. Raises AccessError."""
        check_password(password, name)
        await self._change(name, {"password": await self._passwords.hash(password)})

    async def set_role(self, name: str, role: Role) -> None:
        """Give an account another role. Raises AccessError for the last admin."""
        await self._change(name, {"role": role.value})

    async def remove(self, name: str) -> None:
        """Forget an account. Raises AccessError for the last admin."""
        await self._change(name, None)

    async def _change(self, name: str, new: dict[str, str] | None) -> None:
        """Write fields over an account's, or remove it, unless no admin would be left."""
        name = _folded(name)

        async def write(pipe: Any) -> None:
            rows: Any = await pipe.hgetall(self._key)
            accounts = {each.decode(): orjson.loads(raw) for each, raw in rows.items()}
            if name not in accounts:
                raise AccessError(f"No account is called {name!r}.")
            old = accounts.pop(name)
            changed = {**old, **new} if new is not None else {}
            others = [changed, *accounts.values()]
            if not any(each.get("role") == Role.ADMIN.value for each in others):
                raise AccessError("The last admin must stay an admin.")
            pipe.multi()
            if changed:
                pipe.hset(self._key, name, orjson.dumps(changed))
            else:
                pipe.hdel(self._key, name)

        await self._redis.transaction(write, self._key)

    async def _read(self, name: str) -> dict[str, str] | None:
        raw: Any = await self._redis.hget(self._key, _folded(name))
        return orjson.loads(raw) if raw else None


def check_name(name: str) -> None:
    """Raise AccessError when an account may not have this name."""
    if not _NAME.fullmatch(_folded(name)):
        raise AccessError("A name has 1 to 100 letters, digits and . _ - + @.")


def check_account(name: str, password: str) -> None:
    """Raise AccessError when a name or its password may not be so."""
    check_name(name)
    check_password(password, name)


def _account(name: str, fields: dict[str, str]) -> Account:
    return Account(name, Role(fields["role"]), fields["created"])


def _name(account: Account) -> str:
    return account.name


def _folded(name: str) -> str:
    return name.strip().casefold().encode(errors="replace").decode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
