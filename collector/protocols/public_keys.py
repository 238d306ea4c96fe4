"""Signatures by public keys. Loaded when the first comes: few sign so, and cryptography takes 7 MiB."""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key


def ecdsa(key: bytes, content: bytes, signature: bytes) -> bool:
    """Tell whether a content is signed for a key (P-256, DER) with SHA-256."""
    try:
        known: Any = load_der_public_key(key)
        if not isinstance(known, EllipticCurvePublicKey):
            return False
        known.verify(signature, content, ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def ed25519(key: bytes, content: bytes, signature: bytes) -> bool:
    """Tell whether a content is signed for a key of 32 bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
