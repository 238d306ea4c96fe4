"""The Rust engines that find what a user agent tells, built small: every worker holds them all.

It knows no verdicts. A pattern takes a few KiB, most of it for groups, bounds and tables. What is left out
here takes two fifths off, and changes nothing that is found in any known case (tests/enrich/test_engines.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ua_parser.loaders import load_lazy_builtins
from ua_parser_rs import DeviceExtractor, OSExtractor, UserAgentExtractor

if TYPE_CHECKING:
    from collections.abc import Iterable

# A pattern whose every step is certain gets a table of its own, of 5 KiB and more, which saves no time that
# could be measured. Two ways to begin with nothing make it uncertain.
_WITHOUT_TABLE = "(?:|)"
# uap-core bounds repetitions for engines that go back. This one never does, and writes each bound out in
# full. A class of characters ends by itself; a dot would go on over everything, and keeps its bound.
_BOUND = re.compile(r"(?<=\])\{([01]),\d{2,}\}")
_UNBOUND = {"0": "*", "1": "+"}


@dataclass(frozen=True, slots=True)
class Engines:
    """uap-core's three lists."""

    browsers: UserAgentExtractor
    systems: OSExtractor
    devices: DeviceExtractor


@lru_cache(1)
def uap_core() -> Engines:
    """Return the engines of uap-core's lists, built at the first call."""
    lists: Any = load_lazy_builtins()  # what its rows are is not told
    browsers, systems, devices = lists
    return Engines(
        UserAgentExtractor(map(_versioned, browsers)),
        OSExtractor(map(_versioned, systems)),
        DeviceExtractor(
            (_lean(row.regex), row.regex_flag, row.family, row.brand, row.model) for row in devices
        ),
    )


def finder(patterns: Iterable[tuple[str, str]]) -> UserAgentExtractor:
    """Build an engine of patterns and marks: the first that fits tells what it found; major is its mark."""
    return UserAgentExtractor(
        (_lean(f"({pattern})"), None, mark, None, None, None) for pattern, mark in patterns
    )


def screen(patterns: Iterable[tuple[str, str]]) -> UserAgentExtractor:
    """Build an engine of patterns and marks: major is the mark of the first that fits, in whatever case."""
    return UserAgentExtractor((f"(?i){pattern}", "", mark, None, None, None) for pattern, mark in patterns)


def _versioned(row: Any) -> tuple[str, str | None, str | None, str | None, str | None, str | None]:
    return _lean(row.regex), row.family, row.major, row.minor, row.patch, row.patch_minor


def _lean(pattern: str) -> str:
    return _WITHOUT_TABLE + _BOUND.sub(lambda bound: _UNBOUND[bound[1]], pattern)
