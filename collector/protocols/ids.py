"""Event ids for clients that send none."""

from __future__ import annotations

import os


def uuid7(ms: int) -> str:
    """Return a new UUID version 7 (RFC 9562) for a time in milliseconds: it sorts by time."""
    value = (ms << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
