"""Where Zstandard's library is: in Python itself from 3.14 on, in an extra before that."""

from __future__ import annotations

import sys
from typing import Any


def zstd_library() -> Any:
    """Return the module, None where it is not installed."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd  # noqa: PLC0415 - the place depends on the version
        else:
            from backports import zstd  # noqa: PLC0415 - an extra, which few need
    except ImportError:
        return None
    return zstd
