"""Where a link may lead: absolute http and https addresses, read as browsers read them (WHATWG)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import can_ada

from collector.addresses import is_public
from collector.model import PlainError
from collector.recall import remembered

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 4096

# Browsers find a host in "https:evil.example" and "https:///evil.example"; others do not. Neither passes.
_ABSOLUTE = re.compile(r"https?://[^/\\?#]", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\\\u00a0\u2028\u2029\ufeff]")
_LOCAL = ("localhost", "local", "internal", "home.arpa")


class LinkError(PlainError):
    """A link or a mail cannot be made as asked; the message is one sentence for a person."""


def check_target(url: str, hosts: Iterable[str] = ()) -> None:
    """Raise LinkError unless a link may lead to this address.

    ``hosts``, if any, are the only ones allowed: ``shop.example``, or ``*.shop.example`` for all below it.
    """
    host, fault = _read(url)
    if fault:
        raise LinkError(fault)
    if hosts and not any(_matches(host, allowed) for allowed in hosts):
        raise LinkError(f"{host} is none of the source's hosts.")


@remembered(4096)  # those who got a mail follow the same few links
def _read(url: str) -> tuple[str, str]:
    """Return the host that an address leads to, and what is wrong with it, empty when nothing is."""
    if len(url.encode(errors="replace")) > LONGEST:
        return "", f"The address of a link may have {LONGEST} bytes."
    if _FORBIDDEN.search(url) or not _ABSOLUTE.match(url):
        return "", f"{url[:200]!r} is no plain http or https address."
    try:
        parsed = can_ada.parse(url)
    except (ValueError, TypeError):  # TypeError: half a surrogate pair
        return "", f"{url[:200]!r} is no address that browsers can read."
    if parsed.username or parsed.password or "@" in _authority(url):
        return "", f"{url[:200]!r} has a user name in it."
    host = parsed.hostname.rstrip(".")
    return host, f"{host} is no public address." if _is_private(host) else ""


def _authority(url: str) -> str:
    return re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]


def _matches(host: str, allowed: str) -> bool:
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed


def _is_private(host: str) -> bool:
    try:
        return not is_public(host.strip("[]"))
    except ValueError:  # a name
        return host in _LOCAL or host.endswith(tuple(f".{name}" for name in _LOCAL))
