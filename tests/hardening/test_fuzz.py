"""Every parser takes any bytes: what fuzzing found is replayed, and properties are tried by hypothesis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.enrich import redact
from tests.hardening.targets import TARGETS, attempt, seeds

if TYPE_CHECKING:
    from tests.hardening.conftest import Tried

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40)
WORDS = st.sampled_from(["batch", "events", "data", "requests", "type", "properties", "context", "page"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=9), inner, max_size=5)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_before_and_what_clients_send_is_no_fault(name: str, tried: Tried) -> None:
    kept = seeds(name)
    tried("the fuzzers' corpus, replayed", len(kept))

    assert kept
    for data in kept:
        attempt(name, data)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=30)
@given(line=st.text(max_size=60).filter(lambda text: "\n" not in text), body=st.binary(max_size=200))
def test_any_bytes_are_understood_or_refused(name: str, line: str, body: bytes) -> None:
    attempt(name, line.encode() + b"\n" + body)
    attempt(name, body)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=30)
@given(value=VALUES, data=st.data())
def test_a_clients_words_with_any_values_are_understood_or_refused(
    name: str, value: object, data: st.DataObject
) -> None:
    """A known input has a stretch of it replaced by other JSON."""
    try:
        written = orjson.dumps(value)
    except TypeError:  # an integer too long for orjson, or half a character
        written = b"9" * 30
    known = data.draw(st.sampled_from(seeds(name)))[:4000]
    start = data.draw(st.integers(0, len(known)))
    end = data.draw(st.integers(start, min(len(known), start + 40)))
    attempt(name, known[:start] + written + known[end:])
    attempt(name, written)


PERSONAL = ["ada@shop.example", "+41 44 668 18 00", "4111 1111 1111 1111", "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln"]


@given(
    before=st.text(alphabet=" ,;:()/?&=\n", max_size=5),
    kept=st.sampled_from(PERSONAL),
    after=st.text(alphabet=" ,;()/?&\n", max_size=5),
)
def test_personal_data_is_found_wherever_it_stands_in_a_text(before: str, kept: str, after: str) -> None:
    assert kept not in redact.text(f"{before}{kept}{after}")[0]


def test_a_text_of_many_beginnings_of_tokens_is_read_in_a_bearable_time() -> None:
    """Such a text held the loop for as long as the square of its length: minutes, for this one."""
    assert redact.text("eyJ" * 80_000)[0] == "eyJ" * 80_000
