"""A wall clock that can be set for real processes, by libfaketime; their monotonic clock is left alone."""

from __future__ import annotations

import os
from pathlib import Path


class Clock:
    """A clock in a file. ``environment`` goes to the processes that follow it, within a second."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "clock"
        self.set(0)
        # LD_PRELOAD by its path: the command `faketime` would start a process of its own.
        library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        self.environment = {
            "PATH": os.environ["PATH"],
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, seconds: int) -> None:
        """Set the clock so many seconds ahead of the real one, or behind it."""
        part = self._file.with_suffix(".part")
        part.write_text(f"{seconds:+d}")
        part.replace(self._file)
