"""Signed tokens: what a link, a pixel or an unsubscribe of a mail says, and that nobody has changed it.

A token is ``key id . payload . MAC``: HMAC-SHA256 of the text before the MAC, cut to 128 bits. Its key is
derived from the signing key for one purpose and one source, so a token can be used for nothing else.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeAlias

from collector.links.target import LinkError

Purpose: TypeAlias = Literal["click", "open", "unsubscribe", "journey"]

_VERSION = 1
_MAC_BYTES = 16
_LONGEST_NAME = 255
_MOST_LINKS = 65_535
_CONSENTED = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """What a token says. ``index`` counts a mail's links from 1; 0 is the link that people do not see."""

    message: str
    recipient: str
    index: int = 0
    target: str = ""
    consented: bool = False


@dataclass(frozen=True, slots=True)
class Signer:
    """Sign and verify the tokens of one source with one key."""

    key_id: str
    secret: str = field(repr=False)
    source: str

    def sign(self, purpose: Purpose, mark: Mark) -> str:
        """Return the token of a mark. Raises LinkError when a part of it is too long."""
        text = f"{self.key_id}.{_to_text(_pack(mark))}"
        return f"{text}.{self._mac(purpose, text)}"

    def verify(self, purpose: Purpose, token: str) -> Mark | None:
        """Return the mark of a token, None when this key has not signed it for this purpose."""
        text, _, mac = token.rpartition(".")
        # As bytes: compare_digest takes no text outside ASCII, and strangers send any.
        if not hmac.compare_digest(mac.encode(errors="replace"), self._mac(purpose, text).encode()):
            return None
        return _unpack(base64.urlsafe_b64decode(text.partition(".")[2] + "=="))

    def _mac(self, purpose: Purpose, text: str) -> str:
        key = _derived(self.secret, purpose, self.source)
        return _to_text(hmac.digest(key, text.encode(errors="replace"), "sha256")[:_MAC_BYTES])


def key_id_of(token: str) -> str:
    """Return the id of the key that a token claims to be signed with."""
    return token.partition(".")[0]


@lru_cache(1024)
def _derived(secret: str, purpose: Purpose, source: str) -> bytes:
    return hmac.digest(secret.encode(), f"headwater {_VERSION} {purpose} {source}".encode(), "sha256")


def _pack(mark: Mark) -> bytes:
    """Return version, flags, link number, then the texts: each but the last with its length before it."""
    message, recipient = mark.message.encode(), mark.recipient.encode()
    if max(len(message), len(recipient)) > _LONGEST_NAME:
        raise LinkError(f"Message and recipient may have {_LONGEST_NAME} bytes each.")
    if mark.index > _MOST_LINKS:
        raise LinkError(f"A mail may have {_MOST_LINKS} links.")
    flags = _CONSENTED if mark.consented else 0
    head = bytes((_VERSION, flags, *divmod(mark.index, 256)))
    names = b"".join(bytes((len(name),)) + name for name in (message, recipient))
    return head + names + mark.target.encode()


def _unpack(data: bytes) -> Mark:
    """Return the mark that was packed; only for what a key has signed."""
    flags, index, end = data[1], data[2] * 256 + data[3], 4
    names = []
    for _ in range(2):
        start, end = end + 1, end + 1 + data[end]
        names.append(data[start:end].decode())
    return Mark(names[0], names[1], index, data[end:].decode(), bool(flags & _CONSENTED))


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
