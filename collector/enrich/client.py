"""What the request itself tells of the client: user agent, and the network if the source may keep it."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from collector.model import BROWSER_BRIDGES

if TYPE_CHECKING:
    from collector.model import Hit

_LONGEST = 1024
LONGEST_ADDRESS = 64  # IPv6 with a zone fits


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:
    """Tell userAgent and ip. A browser speaks for itself; a server speaks for the client it names."""
    if hit.source.bridge in BROWSER_BRIDGES:
        agent = hit.headers.get("User-Agent", "")[:_LONGEST] or None
        return {"userAgent": agent, "ip": _kept(hit.address, hit.source.privacy.address)}
    named = context.get("ip")
    return {"ip": _kept(named if isinstance(named, str) else None, hit.source.privacy.address)}


def _kept(address: str | None, rule: str) -> str | None:
    return None if rule == "none" else network(address) or None


def network(address: str | None) -> str:
    """Return the first address of the /24 or /48 network that an address lies in, empty for no address."""
    return _network(address) if address and len(address) <= LONGEST_ADDRESS else ""


@lru_cache(4096)
def _network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    bits = 24 if ip.version == 4 else 48  # noqa: PLR2004 - the version of IP
    return str(ipaddress.ip_network((ip, bits), strict=False).network_address)
