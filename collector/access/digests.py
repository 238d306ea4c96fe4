"""Random secrets that people and browsers carry; only their digests are kept."""

from __future__ import annotations

import secrets
from hashlib import sha256

_BYTES = 32


def new_secret() -> str:
    """Return 256 random bits as text for addresses and headers."""
    return secrets.token_urlsafe(_BYTES)


def digest_of(secret: str) -> str:
    """Return the digest that a random secret is kept by; 256 random bits need no slow hash."""
    return sha256(secret.encode(errors="replace")).hexdigest()
