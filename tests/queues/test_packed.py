"""Packed bodies: read within a limit, else refused with the reason."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from backports import zstd

from collector.bridges.queue import packed
from collector.bridges.queue.packed import unpacked
from collector.model import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

BODY = b'{"n": 1}' * 10


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
def test_a_body_is_read_packed_or_not(pack: Callable[[bytes], bytes]) -> None:
    assert unpacked(pack(BODY), 100) == (BODY, None)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
@pytest.mark.parametrize("size", [101, 50_000_000])
def test_a_body_that_inflates_beyond_the_limit_is_refused(pack: Callable[[bytes], bytes], size: int) -> None:
    _, refusal = unpacked(pack(b"x" * size)[:4000], 4000 if size > 4000 else 100)

    assert refusal is not None
    assert refusal.reason is Reason.INFLATED_TOO_LARGE


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_a_packed_body_that_is_cut_or_broken_is_refused(pack: Callable[[bytes], bytes]) -> None:
    whole = pack(BODY)
    reasons = [unpacked(body, 100)[1] for body in (whole[:-3], whole[:4] + b"junk and more of it")]

    assert [each.reason if each else None for each in reasons] == [Reason.BAD_ENCODING] * 2


def test_a_body_in_zstd_says_what_to_install_where_it_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "zstd_library", lambda: None)
    _, refusal = unpacked(zstd.compress(BODY), 100)

    assert refusal is not None
    assert refusal.reason is Reason.UNKNOWN_ENCODING
    assert "headwater[zstd]" in refusal.detail
