"""The client's address behind proxies, and origins."""

from __future__ import annotations

import pytest

from collector.addresses import client_address
from collector.bridges.web import origin_matches

NET = ("10.0.0.0/8", "127.0.0.0/8", "fd00::/8")
ADDRESSES = [
    ("nobody is trusted by default", "10.0.0.1", ["1.1.1.1"], (), 0, "10.0.0.1"),
    ("a trusted proxy names the client", "10.0.0.1", ["1.1.1.1"], NET, 0, "1.1.1.1"),
    ("a stranger's header is not believed", "9.9.9.9", ["1.1.1.1"], NET, 0, "9.9.9.9"),
    ("the chain is read from the right", "10.0.0.1", ["6.6.6.6", "1.1.1.1", "10.0.0.2"], NET, 0, "1.1.1.1"),
    ("what a client put in front is not read", "10.0.0.1", ["127.0.0.1", "1.1.1.1"], NET, 0, "1.1.1.1"),
    ("all trusted: the first of them", "10.0.0.1", ["10.0.0.3", "10.0.0.2"], NET, 0, "10.0.0.3"),
    ("no address ends the search", "10.0.0.1", ["1.1.1.1", "unknown"], NET, 0, "10.0.0.1"),
    ("nor is one with an endless zone", "10.0.0.1", ["fe80::1%" + "x" * 9999], NET, 0, "10.0.0.1"),
    ("by number of hops", "8.8.8.8", ["6.6.6.6", "1.1.1.1"], (), 1, "1.1.1.1"),
    ("by two hops", "8.8.8.8", ["6.6.6.6", "1.1.1.1", "7.7.7.7"], (), 2, "1.1.1.1"),
    ("more hops than the chain has", "8.8.8.8", ["1.1.1.1"], (), 5, "1.1.1.1"),
    ("version 6", "fd00::1", ["2001:db8::1"], NET, 0, "2001:db8::1"),
    ("a unix socket is a proxy on this machine", None, ["1.1.1.1"], NET, 0, "1.1.1.1"),
]


@pytest.mark.parametrize(("rule", "peer", "chain", "proxies", "hops", "expected"), ADDRESSES)
def test_client_address(
    rule: str, peer: str | None, chain: list[str], proxies: tuple[str, ...], hops: int, expected: str
) -> None:
    assert expected == client_address(peer, chain, proxies=proxies, hops=hops), rule


ORIGINS = [
    ("https://shop.example", "https://shop.example", True),
    ("https://shop.example:8443", "https://shop.example", False),
    ("https://a.shop.example", "https://*.shop.example", True),
    ("https://a.b.shop.example", "https://*.shop.example", True),
    ("https://shop.example", "https://*.shop.example", False),
    ("https://evilshop.example", "https://*.shop.example", False),
    ("https://a.shop.example.evil.test", "https://*.shop.example", False),
    ("https://a.shop.example:8443", "https://*.shop.example:8443", True),
    ("http://a.shop.example", "https://*.shop.example", False),
    ("https://a.shop.example\n", "https://*.shop.example", False),
    ("https://user@a.shop.example", "https://*.shop.example", False),
]


@pytest.mark.parametrize(("origin", "pattern", "expected"), ORIGINS)
def test_an_origin_matches_whole_or_below_a_star(origin: str, pattern: str, *, expected: bool) -> None:
    assert expected == origin_matches(origin, pattern)
