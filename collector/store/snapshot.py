"""Snapshots on local disk: what is read when Redis is away."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Put the data in place of the file in one step, for its owner alone to read. Raises OSError."""
    part = path.with_suffix(f".{os.getpid()}.part")  # workers share the folder
    part.touch(mode=0o600)  # it may hold signing keys and webhook secrets
    part.write_bytes(data)
    part.replace(path)
