"""Who an event is about: the ids of people that stand in it, read from its JSON without parsing it."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# A key and its text stand together wherever they are nested, with spaces between them where other programs
# have written the event. The marks begin with what few texts hold, since that is what the search runs on.
_ID = re.compile(
    rb'Id"(?:(?<="userId")|(?<="anonymousId")|(?<="previousId"))\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)', re.DOTALL
)
_WORD = re.compile(r"[\w.+%@-]+")
_EMAIL = re.compile(rb'"email"\s*:\s*("(?:[^"\\]|\\.)*")', re.DOTALL)


class PersonError(Exception):
    """Nobody is named, or not in a form that can be looked for; the message says so in one sentence."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is asked for: a user's id, a visitor's, or an e-mail address or its hash; any of them fits."""

    user: str = ""
    visitor: str = ""
    email: str = ""

    @property
    def ids(self) -> dict[str, str]:
        """The ids by their names on an event. Raises PersonError when there are none."""
        named = {
            "userId": self.user,
            "anonymousId": self.visitor,
            "emailHash": email_hash(self.email) if "@" in self.email else self.email.lower(),
        }
        ids = {key: value for key, value in named.items() if value}
        if not ids:
            raise PersonError("Name the person: a user's id, a visitor's id or an e-mail address.")
        return ids

    @property
    def digests(self) -> frozenset[int]:
        """What the person is recognised by in ``digests_in``. Raises PersonError."""
        return frozenset(map(_digest, self.ids.values()))


def digests_in(event: bytes) -> set[int]:
    """Return the digests of all users', visitors' and previous ids and e-mail addresses in an event."""
    return {_digest(text) for text in _texts(event)}


def email_hash(address: str) -> str:
    """Return the SHA-256 of an address in lower case, as mail services and advertisers write it."""
    return sha256(address.strip().lower().encode()).hexdigest()


def tells_of(body: bytes, query: str, texts: Collection[str]) -> bool:
    """Tell whether an id, or an address with that hash, is a value in a body of any form or in a query.

    A number counts where its key ends in id, so that quantities are not taken for people.
    """
    try:
        values = _values(orjson.loads(body))
    except orjson.JSONDecodeError:
        values = _in_form(body.decode(errors="replace"))
    return any(_is_one(key, value, texts) for key, value in (*values, *_in_form(query)))


def _values(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _values(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _values(item, key)
    else:
        yield key, value


def _in_form(text: str) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a form, some of which hold JSON; of a text that is no form, its words."""
    for key, value in parse_qsl(text) or [("", word) for word in _WORD.findall(text)]:
        yield key, value
        if value.startswith("{"):
            with contextlib.suppress(orjson.JSONDecodeError):
                yield from _values(orjson.loads(value))


def _is_one(key: str, value: Any, texts: Collection[str]) -> bool:
    if isinstance(value, int):
        return key.lower().endswith("id") and str(value) in texts
    if not isinstance(value, str):
        return False
    return value in texts or ("@" in value and email_hash(value) in texts)


def _texts(event: bytes) -> Iterator[str]:
    for match in _ID.finditer(event):
        yield _text(match[1])
    for match in _EMAIL.finditer(event):
        text = _text(match[1])
        yield email_hash(text) if "@" in text else text  # a source may have it hashed


def _text(value: bytes) -> str:
    try:
        return str(orjson.loads(value))
    except orjson.JSONDecodeError:  # of what others have appended: half of a surrogate, no JSON at all
        return value.decode(errors="replace")


def _digest(text: str) -> int:
    """Return a signed 64-bit number, which Redis keeps in eight bytes."""
    digest = blake2b(text.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
