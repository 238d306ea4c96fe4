"""An archive's bytes: plain, gzip or zstd by their looks, from a file or standard input."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from hashlib import blake2b
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, cast

from collector.model import PlainError
from collector.zstd import zstd_library

if TYPE_CHECKING:
    from collections.abc import Iterator

_DASH = "-"
_STANDARD_INPUT = "standard input"
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_CHUNK = 256 * 1024
HEAD = 64 * 1024


class ArchiveError(PlainError):
    """An archive that cannot be read, or not to its end; the message is one sentence for a person."""


class Opened:
    """An open archive. ``head`` is its beginning, ``size`` what it has on disk, 0 when nobody knows."""

    def __init__(self, path: str) -> None:
        self.name = _STANDARD_INPUT if path == _DASH else path
        try:
            self._raw: Any = sys.stdin.buffer if path == _DASH else Path(path).open("rb")  # noqa: SIM115 - open as long as this
            self.size = 0 if path == _DASH else Path(path).stat().st_size
        except OSError as error:
            raise ArchiveError(f"{path} cannot be read: {error.strerror}.") from None
        self._data: Any = _inflated(self._raw, self.name)
        self._breaks: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, *_zstd_errors())
        self.head = self._read(HEAD)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.name != _STANDARD_INPUT:
            self._raw.close()

    @property
    def position(self) -> int:
        """How much of the file on disk was read."""
        return int(self._raw.tell()) if self.size else 0

    def chunks(self) -> Iterator[bytes]:
        """Yield all of it, inflated. Raises ArchiveError where it breaks off."""
        yield self.head
        while chunk := self._read(_CHUNK):
            yield chunk

    def _read(self, most: int) -> bytes:
        try:
            return bytes(self._data.read(most))
        except self._breaks as error:
            raise ArchiveError(f"{self.name} is damaged or breaks off: {error}.") from None


def digest(kind: str, head: bytes) -> str:
    """Return what an archive that begins so is known by, read as this kind of archive."""
    return blake2b(kind.encode() + b"\0" + head, digest_size=16).hexdigest()


def _inflated(raw: Any, name: str) -> IO[bytes]:
    mark = raw.peek(len(_ZSTD))[: len(_ZSTD)]
    if mark.startswith(_GZIP):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if mark == _ZSTD:
        return _zstd(raw, name)
    return cast("IO[bytes]", io.BufferedReader(raw, _CHUNK))


def _zstd(raw: Any, name: str) -> IO[bytes]:
    zstd = zstd_library()
    if zstd is None:
        raise ArchiveError(f"{name} is zstd: install headwater with its extra `zstd`.")
    return cast("IO[bytes]", zstd.ZstdFile(raw))


def _zstd_errors() -> tuple[type[Exception], ...]:
    zstd = zstd_library()
    return (zstd.ZstdError,) if zstd else ()
