"""Where a sink's target is: an address that names no secret, since other users and logs see it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from collector import tls
from collector.sinks import SinkError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Collection

NO_SECRET = SecretStr("")


def read_address(to: str, schemes: Collection[str], *, user: bool = False) -> SplitResult:
    """Return the parts of an address, which may hold a user if told, but no password. Raises SinkError."""
    try:
        parts = urlsplit(to)
        _ = parts.port if "," not in parts.netloc else None  # raises when it is none
    except ValueError as error:
        raise SinkError(f"The target is no address: {error}.") from None
    if parts.scheme not in schemes:
        raise SinkError(f"The target must begin with {' or '.join(f'{each}://' for each in schemes)}.")
    if parts.password is not None:
        raise SinkError("Leave the password out of the target: give it as --set password=@FILE.")
    if parts.username is not None and not user:
        raise SinkError("Leave the login out of the target: there are options for it.")
    if parts.scheme in {"http", "https"} and not parts.hostname:
        raise SinkError("The target names no host.")
    return parts


def tls_context(ca: str, certificate: str = "", key: str = "") -> ssl.SSLContext:
    """Return how to encrypt; ``ca`` is the file of an authority of one's own. Raises SinkError."""
    try:
        return tls.tls_context(ca, certificate, key)
    except tls.TlsError as error:
        raise SinkError(f"A file for TLS cannot be used: {error}.") from None
