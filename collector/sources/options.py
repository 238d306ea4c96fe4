"""The tracker's options as people write them, each of the type and choice that the built tracker declares."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from collector.sources.features import build

if TYPE_CHECKING:
    from collections.abc import Callable

# Other settings of the source say these, for the tracker and the collector alike.
DERIVED = {
    "consent": "privacy",
    "dnt": "privacy",
    "ignoreGpc": "privacy",
    "privacy": "privacy",
    "token": "setting token",
}

_LONGEST_TEXT = 1000
_LONGEST_LIST = 100
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,49}")


def check_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options. Raises ValueError with one sentence that names the option and what is allowed."""
    known = build().settings
    for name, value in options.items():
        if name in DERIVED:
            raise ValueError(f"{name!r} follows from the source's {DERIVED[name]}: set it there")
        if name not in known:
            names = ", ".join(sorted(known.keys() - DERIVED.keys()))
            raise ValueError(f"{name[:100]!r} is no option of the tracker: choose from {names}")
        _check(name, value, known[name])
    return options


def without_defaults(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that differ from what the tracker does anyway."""
    known = build().settings
    return {name: value for name, value in options.items() if value != known[name]["default"]}


def _check(name: str, value: Any, declared: dict[str, Any]) -> None:
    fits, wanted = _TYPES[declared["type"]]
    if not fits(value):
        raise ValueError(f"{name!r} must be {wanted}")
    choices = declared.get("choices")
    if choices and value not in choices:
        raise ValueError(f"{name!r} must be one of: {', '.join(filter(None, choices))}")
    if name == "global" and not _IDENTIFIER.fullmatch(value):
        raise ValueError(f"{name!r} must be a JavaScript name of at most 50 letters, digits, _ and $")


def _boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT


def _texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= _LONGEST_LIST and all(map(_text, value))


def _pairs(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= _LONGEST_LIST
        and all(_texts(pair) and len(pair) == len(("pattern", "replacement")) for pair in value)
    )


_TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "boolean": (_boolean, "true or false"),
    "number": (_number, "a number, not below 0"),
    "string": (_text, f"text of at most {_LONGEST_TEXT} characters"),
    "list": (_texts, f"a list of at most {_LONGEST_LIST} texts"),
    "pairs": (_pairs, f"a list of at most {_LONGEST_LIST} pairs of texts: pattern and replacement"),
}
