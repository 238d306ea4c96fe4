"""Files in a folder of this machine, written by several processes: whole or not there, and safe on disk."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Disk:
    """A folder. Paths are relative to it. Everything raises OSError."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes out meanwhile."""
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def list(self, folder: str = "") -> Iterator[str]:
        """Yield the paths of all files below a folder, but for hidden ones."""
        for path in (self._root / folder).rglob("[!.]*.*"):
            if path.is_file():
                yield str(path.relative_to(self._root))

    def read(self, path: str) -> bytes:
        """Return what is in a file."""
        return (self._root / path).read_bytes()

    def put(self, path: str, content: bytes) -> None:
        """Put a file in place, whole and on disk, or leave all as it was."""
        whole = self._root / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        unfinished = whole.with_name(f".{whole.name}.unfinished")
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(whole)
        folder = os.open(whole.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def remove(self, path: str) -> None:
        """Remove a file."""
        (self._root / path).unlink()

    def __str__(self) -> str:
        return str(self._root)
