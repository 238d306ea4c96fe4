"""Passwords: what may be one, and argon2id off the event loop, a few at a time."""

from __future__ import annotations

import asyncio
import base64
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from collector.access.errors import AccessError, ThrottledError

SHORTEST = 12
LONGEST = 200
_AT_ONCE = 2  # each takes 64 MiB and a core
_WAITING = 20
_BUSY_SECONDS = 5


def check_password(password: str, name: str) -> None:
    """Raise AccessError when a password is too short, too long or the account's name."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccessError(f"A password has {SHORTEST} to {LONGEST} characters.")
    if password.casefold() == name.casefold() or len(set(password)) < 4:  # noqa: PLR2004 - aaaaaaaaaaaa
        raise AccessError("This password is too easy to guess.")


class Passwords:
    """Hash and verify with the parameters of RFC 9106's second recommended option."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._under_way = 0
        self._decoy = _decoy(self._hasher)

    async def hash(self, password: str) -> str:
        """Return the encoded hash of a password."""
        return str(await self._work(self._hasher.hash, _bytes(password)))

    async def matches(self, encoded: str | None, password: str) -> bool:
        """Tell whether the password is the hash's; None takes as long and is False."""
        found = await self._work(self._verify, encoded or self._decoy, _bytes(password))
        return bool(found) and encoded is not None

    def outdated(self, encoded: str) -> bool:
        """Tell whether a hash was made with parameters of the past."""
        return self._hasher.check_needs_rehash(encoded)

    def _verify(self, encoded: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _work(self, call: object, *arguments: str | bytes) -> object:
        if self._under_way >= _WAITING:
            raise ThrottledError(_BUSY_SECONDS)
        self._under_way += 1
        try:
            async with self._gate:
                return await asyncio.to_thread(call, *arguments)  # type: ignore[arg-type]
        finally:
            self._under_way -= 1


def _bytes(password: str) -> bytes:
    """Return a password as it is hashed: the same, whichever way a keyboard composes its letters."""
    return unicodedata.normalize("NFC", password).encode(errors="replace")


def _decoy(hasher: PasswordHasher) -> str:
    """Return a hash of nothing with the hasher's parameters: verifying it takes as long as a real one."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode()
        for size in (hasher.salt_len, hasher.hash_len)
    )
    parameters = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${parameters}${salt}${digest}"
