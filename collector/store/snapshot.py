"""Snapshots on local disk: what is read when Redis is away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_REST_SECONDS = 0.5
_REST = 4  # times as long as the last write took: many changes that come one by one are few writes


class Snapshot:
    """A file of what its owner holds, a line each: soon after a change, and never over and over.

    A full disk does not stop the collector: what could not be written is written later.
    """

    def __init__(self, path: Path | None, lines: Callable[[], list[bytes]]) -> None:
        self._path = path
        self._lines = lines
        self._changed = False
        self._rests_until = 0.0
        self._one = Lock()  # a write whose owner is cancelled goes on, beside the last one

    def read(self) -> list[bytes] | None:
        """Return the lines, None when there is no snapshot. Raises OSError."""
        if self._path is None or not self._path.exists():
            return None
        return self._path.read_bytes().split(b"\n")

    def note(self) -> None:
        """Note that what is held has changed."""
        self._changed = True

    async def keep_up(self) -> None:
        """Write what has changed, unless the last write was a moment ago."""
        if time.monotonic() >= self._rests_until:
            await self.finish()

    async def finish(self) -> None:
        """Write what has changed."""
        if self._path is None or not self._changed:
            return
        began = time.monotonic()
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._write, self._path, self._lines())
            self._changed = False
        now = time.monotonic()
        self._rests_until = now + max(_REST_SECONDS, _REST * (now - began))

    def _write(self, path: Path, lines: list[bytes]) -> None:
        with self._one:
            replace_file(path, b"\n".join(lines))


def replace_file(path: Path, data: bytes) -> None:
    """Put the data in place of the file in one step, for its owner alone to read. Raises OSError."""
    part = path.with_suffix(f".{os.getpid()}.part")  # workers share the folder
    part.touch(mode=0o600)  # it may hold signing keys and webhook secrets
    part.write_bytes(data)
    part.replace(path)
