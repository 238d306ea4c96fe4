"""What the request itself tells of the client: user agent, and the network if the source may keep it."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import TYPE_CHECKING, Any

from collector.model import BROWSER_BRIDGES
from collector.recall import remembered

if TYPE_CHECKING:
    from collector.model import Hit

_LONGEST = 1024
_IN_IPV6 = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96
_IPV4_BYTES = 4
LONGEST_ADDRESS = 64  # IPv6 with a zone fits


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:
    """Tell userAgent and ip. A browser speaks for itself; servers and archives for the client they name."""
    if hit.source.bridge in BROWSER_BRIDGES and not hit.archived:
        agent = hit.headers.get("User-Agent", "")[:_LONGEST] or None
        return {"userAgent": agent, "ip": _kept(hit.address, hit.source.privacy.address)}
    named = context.get("ip")
    return {"ip": _kept(named if isinstance(named, str) else None, hit.source.privacy.address)}


def _kept(address: str | None, rule: str) -> str | None:
    return None if rule == "none" else network(address) or None


def network(address: str | None) -> str:
    """Return the first address of the /24 or /48 network that an address lies in, empty for no address."""
    return _network(address) if address and len(address) <= LONGEST_ADDRESS else ""


@remembered(4096)
def _network(address: str) -> str:
    try:
        packed = inet_pton(AF_INET6 if ":" in address else AF_INET, address.partition("%")[0])
    except (OSError, ValueError):  # no address; a zero byte in it
        return ""
    packed = packed.removeprefix(_IN_IPV6)  # as a socket for both versions tells it
    if len(packed) == _IPV4_BYTES:
        return inet_ntop(AF_INET, packed[:3] + bytes(1))
    return inet_ntop(AF_INET6, packed[:6] + bytes(10))
