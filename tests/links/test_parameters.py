"""Parameters on the way: only those allowed, each where it is absent, every other byte as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.links import passed_on, with_pairs

ALLOWED = ("utm_*", "gclid")


@pytest.mark.parametrize(
    ("query", "passed"),
    [
        ("", []),
        ("utm_source=news&gclid=a-B_1&x=1", ["utm_source=news", "gclid=a-B_1"]),
        ("UTM_source=news&xutm_a=1&gclidx=1&gclid", []),
        ("utm_a=%0d%0a&utm_b=%2F%2Fevil.example", ["utm_a=%0d%0a", "utm_b=%2F%2Fevil.example"]),
        ("utm_a=a b&utm_b=\r\n&utm_c=\\&utm_d=é&utm_e=#x&utm_f=\x00", []),
        (f"utm_a={'x' * 501}", []),
        ("utm_%61=1", []),
        ("&".join(f"utm_{n}=1" for n in range(99)), [f"utm_{n}=1" for n in range(20)]),
    ],
)
def test_what_is_passed_on(query: str, passed: list[str]) -> None:
    assert list(passed_on(query, ALLOWED)) == passed


def test_nothing_is_passed_on_unless_allowed() -> None:
    assert list(passed_on("utm_source=x&gclid=y&a=b", ())) == []


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("https://s.example/?a=%7e#f", "https://s.example/?a=%7e&utm_a=1#f"),
        ("https://s.example/?utm_a=9", "https://s.example/?utm_a=9"),
        ("https://s.example", "https://s.example?utm_a=1"),
    ],
)
def test_a_pair_is_added_where_absent(url: str, result: str) -> None:
    assert with_pairs(url, ["utm_a=1", "utm_a=2"]) == result


@given(st.text(max_size=300))
def test_whatever_is_passed_on_the_host_stays(query: str) -> None:
    target = with_pairs("https://shop.example", passed_on(query, ("*",)))

    assert target == "https://shop.example" or target.startswith("https://shop.example?")
    assert target.isascii()
    assert target.isprintable()
