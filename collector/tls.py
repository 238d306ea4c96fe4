"""Encryption to brokers and targets, and whom it trusts. It knows nobody who uses it."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import Iterator


class TlsError(Exception):
    """A file cannot be used; the message says why in a few words."""


def tls_context(ca: str, certificate: str = "", key: str = "") -> ssl.SSLContext:
    """Return how to encrypt; ``ca`` is the file of an authority of one's own. Raises TlsError."""
    try:
        context = ssl.create_default_context(cafile=ca or None)
        if certificate:
            context.load_cert_chain(certificate, key or None)
    except (OSError, ValueError) as error:  # ssl.SSLError is the first; a null byte in a name, the second
        raise TlsError(why(error)) from None
    return context


@contextmanager
def trusting_nobody() -> Iterator[None]:
    """Have contexts that are made meanwhile trust nobody: they do not read the system's certificates."""
    ssl.SSLContext.set_default_verify_paths = lambda self: None  # type: ignore[method-assign] # noqa: ARG005
    try:
        yield
    finally:
        del ssl.SSLContext.set_default_verify_paths  # what it had from its base shows again
