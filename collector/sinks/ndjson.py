"""Events as they are, one a line, in files by day."""

from __future__ import annotations

import gzip
from pathlib import Path  # noqa: TC003 - the option is converted to it
from typing import TYPE_CHECKING, Literal

from collector.sinks import Limits, SinkError
from collector.sinks.disk import Disk
from collector.sinks.folder import BatchFolder, FileSink
from collector.zstd import zstd_library

if TYPE_CHECKING:
    from collections.abc import Sequence


def ndjson(
    to: Path,
    *,
    compress: Literal["gzip", "zstd", "none"] = "gzip",
    events: int = 10_000,
    size: int = 32 * 1024**2,
    seconds: float = 60,
) -> FileSink:
    """Make a sink of NDJSON files; one is finished after so many events, bytes of JSON or seconds.

    Raises SinkError.
    """
    form = {"gzip": _Gzipped, "zstd": _Zstd, "none": _Plain}[compress]()
    return FileSink(BatchFolder(Disk(to), form), Limits(events, size, seconds))


class _Plain:
    suffix = ".ndjson"

    def place(self, day: str, _source: str) -> str:
        return day

    def pack(self, events: Sequence[bytes]) -> bytes:
        if any(b"\n" in event or b"\r" in event for event in events):
            raise ValueError("it does not stand on one line")
        return b"".join(event + b"\n" for event in events)

    def unpack(self, content: bytes) -> list[bytes]:
        return content.splitlines()


class _Gzipped(_Plain):
    suffix = ".ndjson.gz"

    def pack(self, events: Sequence[bytes]) -> bytes:
        return gzip.compress(super().pack(events), compresslevel=6, mtime=0)

    def unpack(self, content: bytes) -> list[bytes]:
        return super().unpack(gzip.decompress(content))


class _Zstd(_Plain):
    suffix = ".ndjson.zst"

    def __init__(self) -> None:
        self._library = zstd_library()
        if self._library is None:
            raise SinkError("compress=zstd needs backports.zstd: pip install 'headwater[zstd]'.")

    def pack(self, events: Sequence[bytes]) -> bytes:
        return bytes(self._library.compress(super().pack(events)))

    def unpack(self, content: bytes) -> list[bytes]:
        try:
            return super().unpack(self._library.decompress(content))
        except self._library.ZstdError as error:
            raise ValueError(str(error)) from None
