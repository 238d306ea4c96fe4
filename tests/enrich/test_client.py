"""What is kept of an address is its network, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from collector.enrich.client import network


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.9", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::ffff:203.0.113.9", "203.0.113.0"),
        ("fe80::1%eth0", "fe80::"),
        ("203.0.113", ""),
        ("203.0.113.9/24", ""),
        ("203.0.113.09", ""),
        ("1.2.3.4\0", ""),
        ("nowhere", ""),
        ("", ""),
        (None, ""),
        ("fe80::1%" + "x" * 99, ""),
    ],
)
def test_the_network_of_an_address(address: str | None, kept: str) -> None:
    assert network(address) == kept
