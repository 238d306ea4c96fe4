"""Encryption to brokers and targets, from the files that people name. It knows nobody who uses it."""

from __future__ import annotations

import ssl


class TlsError(Exception):
    """A file cannot be used; the message says why in a few words."""


def tls_context(ca: str, certificate: str = "", key: str = "") -> ssl.SSLContext:
    """Return how to encrypt; ``ca`` is the file of an authority of one's own. Raises TlsError."""
    try:
        context = ssl.create_default_context(cafile=ca or None)
        if certificate:
            context.load_cert_chain(certificate, key or None)
    except (OSError, ValueError) as error:  # ssl.SSLError is the first; a null byte in a name, the second
        raise TlsError(why_unusable(error)) from None
    return context


def why_unusable(error: Exception) -> str:
    """Return what a file that could not be loaded has failed with, without its number."""
    return getattr(error, "strerror", None) or str(error)
