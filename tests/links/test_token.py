"""Tokens: what was signed comes back, and nothing else ever does."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.links import LinkError, Mark, Signer, key_id_of

SIGNER = Signer("k2345678", "s" * 43, "mail1")
names = st.text(st.characters(codec="utf-8"), max_size=60)
marks = st.builds(
    Mark, names, names, st.integers(0, 65_535), st.text(st.characters(codec="utf-8")), st.booleans()
)


@given(marks)
def test_what_was_signed_comes_back(mark: Mark) -> None:
    token = SIGNER.sign("click", mark)

    assert mark == SIGNER.verify("click", token)
    assert key_id_of(token) == "k2345678"


@given(marks, marks)
def test_different_marks_have_different_tokens(one: Mark, other: Mark) -> None:
    """Fields have their lengths before them: none slides into its neighbour."""
    assert (one == other) == (SIGNER.sign("click", one) == SIGNER.sign("click", other))


@given(st.text(max_size=200))
def test_what_nobody_signed_is_nothing(token: str) -> None:
    assert SIGNER.verify("click", token) is None


@pytest.mark.parametrize("part", ["secret", "source"])
def test_another_signer_does_not_verify(part: str) -> None:
    token = SIGNER.sign("click", Mark("m", "r"))

    assert replace(SIGNER, **{part: "x" * 8}).verify("click", token) is None


def test_a_token_is_for_one_purpose_only() -> None:
    token = SIGNER.sign("click", Mark("m", "r", 1, "https://shop.example/"))

    assert SIGNER.verify("open", token) is None
    assert SIGNER.verify("unsubscribe", token) is None


def test_no_changed_byte_of_a_thousand_tokens_verifies() -> None:
    chance = random.Random(6)  # noqa: S311 - the same bytes every time
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~%/= \x00é"
    for number in range(1000):
        token = SIGNER.sign("click", Mark(f"m{number}", "r", number, f"https://shop.example/{number}"))
        for at, old in enumerate(token):
            new = chance.choice(alphabet.replace(old, ""))
            assert SIGNER.verify("click", token[:at] + new + token[at + 1 :]) is None


def test_no_cut_or_lengthened_token_verifies() -> None:
    token = SIGNER.sign("click", Mark("m", "r", 1, "https://shop.example/"))

    assert all(SIGNER.verify("click", token[:end]) is None for end in range(len(token)))
    assert all(SIGNER.verify("click", token + more) is None for more in ("A", "=", ".", "/"))


@pytest.mark.parametrize("mark", [Mark("m" * 256, "r"), Mark("m", "ü" * 128), Mark("m", "r", 65_536)])
def test_what_is_too_long_is_not_signed(mark: Mark) -> None:
    with pytest.raises(LinkError):
        SIGNER.sign("click", mark)
