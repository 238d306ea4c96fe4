"""Events as they are, one a line, in files by day."""

from __future__ import annotations

import gzip
from pathlib import Path  # noqa: TC003 - the option is converted to it
from typing import TYPE_CHECKING, Literal

from collector.sinks import Limits
from collector.sinks.folder import BatchFolder, FileSink

if TYPE_CHECKING:
    from collections.abc import Sequence


def ndjson(
    to: Path,
    *,
    compress: Literal["gzip", "none"] = "gzip",
    events: int = 10_000,
    size: int = 32 * 1024**2,
    seconds: float = 60,
) -> FileSink:
    """Make a sink of NDJSON files; one is finished after so many events, bytes of JSON or seconds."""
    form = _Gzipped() if compress == "gzip" else _Plain()
    return FileSink(BatchFolder(to, form), Limits(events, size, seconds))


class _Plain:
    suffix = ".ndjson"

    def place(self, day: str, _source: str) -> str:
        return day

    def pack(self, events: Sequence[bytes]) -> bytes:
        return b"".join(event + b"\n" for event in events)

    def unpack(self, content: bytes) -> list[bytes]:
        return content.splitlines()


class _Gzipped(_Plain):
    suffix = ".ndjson.gz"

    def pack(self, events: Sequence[bytes]) -> bytes:
        return gzip.compress(super().pack(events), compresslevel=6, mtime=0)

    def unpack(self, content: bytes) -> list[bytes]:
        return super().unpack(gzip.decompress(content))
