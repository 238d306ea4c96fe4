"""Instrument plain text: the addresses in it, without what ends a sentence. A text has no pixel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collector.mails.tracking import Tracking

_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_TRAILING = ".,;:!?'*_"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def instrument_text(text: str, tracking: Tracking) -> str:
    """Return the text with tracked addresses."""

    def tracked(match: re.Match[str]) -> str:
        address = _trimmed(match[0])
        return (tracking.link(address) or address) + match[0][len(address) :]

    return _ADDRESS.sub(tracked, text)


def _trimmed(address: str) -> str:
    """Return an address without what follows it: punctuation, and brackets that it does not open."""
    while address:
        last = address[-1]
        opens = _BRACKETS.get(last)
        if last not in _TRAILING and (opens is None or address.count(opens) >= address.count(last)):
            return address
        address = address[:-1]
    return address
