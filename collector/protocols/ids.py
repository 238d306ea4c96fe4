"""Event ids for clients that send none."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from collector.protocols.decode import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.model import Hit


def new_id(hit: Hit, index: int) -> str:
    """Return the id of an event of a hit that has none: new, or made from the hit's own, again the same."""
    if not hit.id:
        return uuid7(hit.received_at)
    return f"{hit.id}.{index}" if index else hit.id


def uuid7(ms: int) -> str:
    """Return a new UUID version 7 (RFC 9562) for a time in milliseconds: it sorts by time."""
    value = (ms << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def digest(item: Mapping[str, Any]) -> str:
    """Return an id made of an item: a client that sends it again sends it unchanged."""
    return sha256(to_json(item)).hexdigest()[:32]
