"""Where a request comes from: the peer's address, or what trusted proxies say of the client's."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from collector.recall import remembered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.exchange import Request

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
_LONGEST = 64  # IPv6 with a zone fits


def peer_of(request: Request) -> str | None:
    """Return the address at the other end of the connection; None on a unix socket."""
    return request.remote or None


def address_of(request: Request, proxies: tuple[str, ...], hops: int) -> str | None:
    """Return the client's address: the peer's, or what trusted proxies say of it."""
    nearest = peer_of(request)
    forwarded = request.headers.getall("X-Forwarded-For", ()) if proxies or hops else ()
    if not forwarded:
        return nearest
    chain = [part.strip() for line in forwarded for part in line.split(",")]
    return client_address(nearest, chain, proxies=proxies, hops=hops)


def client_address(
    peer: str | None, chain: Sequence[str], *, proxies: tuple[str, ...] = (), hops: int = 0
) -> str | None:
    """Return the client's address from the peer's and the X-Forwarded-For chain, counted from the right.

    ``hops`` proxies are believed by number; else every address within ``proxies`` is. The first that is not
    a trusted proxy is the client. A chain entry that is no address ends the search at the last good one.
    """
    addresses = [*chain, peer] if peer else [*chain, "127.0.0.1"]  # a unix socket is this machine
    addresses.reverse()
    client = addresses[0]
    for place, address in enumerate(addresses):
        if not is_address(address):
            break
        client = address
        trusted = place < hops if hops else within(address, proxies)
        if not trusted:
            break
    return client


def is_address(text: str) -> bool:
    """Tell whether a text is an address; longer ones are not even remembered as none."""
    return len(text) <= _LONGEST and _reads_as_address(text)


@remembered(4096)
def _reads_as_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@remembered(4096)
def within(text: str, networks: tuple[str, ...]) -> bool:
    """Tell whether an address is in one of the networks. Raises ValueError when it is no address."""
    address = ipaddress.ip_address(text)
    return any(address in ipaddress.ip_network(network, strict=False) for network in networks)


def is_public(text: str) -> bool:
    """Tell whether an address is of the public internet, and an IPv4 address within it too.

    Raises ValueError when it is no address.
    """
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
    return address.is_global and not address.is_multicast
