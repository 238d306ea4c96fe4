"""Signing keys of sources: the newest signs, those before it verify for a while longer."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, SecretStr, StringConstraints

from collector.sources.base import StrictModel
from collector.sources.secret import Revealed, Secret
from collector.wording import InWords

if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT = timedelta(days=400)  # people click old mails
_NAME = "sign:"
KeyId = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]{8}$"), InWords("This must be 8 of a to z and 0 to 9")
]
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


class SigningKey(StrictModel):
    """A key that a source signs with. It can sign in the source's name: keep it secret."""

    id: KeyId = Field(description="Stands in every token that it has signed.")
    secret: Secret = Field(min_length=43, max_length=43, description="256 random bits.")
    retired: str = Field("", description="When a new key took over; empty for the one that signs.")

    @property
    def name(self) -> str:
        """The name that leads from a token to its source in the catalogue."""
        return signing_name(self.id)

    def verifies(self, now: datetime) -> bool:
        """Tell whether what it has signed still counts."""
        return not self.retired or datetime.fromisoformat(self.retired) + KEPT > now


def signing_name(key_id: str) -> str:
    """Return the name that a signing key's source has in the catalogue."""
    return _NAME + key_id


def new_key() -> SigningKey:
    """Return a new signing key."""
    name = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return SigningKey(id=name, secret=SecretStr(secrets.token_urlsafe(32)))


def rotated(keys: Iterable[SigningKey], now: datetime | None = None) -> list[dict[str, str]]:
    """Return the keys with a new one in front, without those that have ended."""
    moment = now or datetime.now(UTC)
    first, *others = keys
    old = [first.model_copy(update={"retired": moment.isoformat(timespec="seconds")}), *others]
    return [key.model_dump(context=Revealed()) for key in (new_key(), *old) if key.verifies(moment)]
