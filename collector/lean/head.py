"""Read the head of a request with llhttp, strictly: what is not plain and whole is left to aiohttp."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httptools
from multidict import CIMultiDict

if TYPE_CHECKING:
    from collections.abc import Iterator

_METHODS = {b"GET", b"HEAD", b"POST"}
# Fields that change how a message is framed or understood: with one of them it is not a plain request.
_NOT_PLAIN = {"transfer-encoding", "upgrade", "expect", "trailer", "te"}
_SINGLE = ("Host", "Content-Length", "Content-Type", "Content-Encoding", "Origin", "Referer")


@dataclass(slots=True)
class Head:
    """The head of a plain request; ``target`` is its path with the query, as sent."""

    method: str = ""
    target: str = ""
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    length: int = 0
    keep_alive: bool = True


def read_head(data: bytes) -> Head | None:
    """Return the head that ``data`` is, from its first byte to the empty line; None when it is not plain."""
    reader = _Reader()
    parser = httptools.HttpRequestParser(reader)
    try:
        parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):  # CONNECT is an upgrade, too
        return None
    method = parser.get_method()
    if not reader.complete or method not in _METHODS or parser.get_http_version() != "1.1":
        return None
    headers = CIMultiDict(reader.fields())
    if not _plain(headers):
        return None
    length = int(headers.get("Content-Length", 0))
    if length and method != b"POST":
        return None
    try:
        target = reader.target.decode("ascii")
    except UnicodeDecodeError:
        return None
    keep_alive = "close" not in headers.get("Connection", "").lower()
    return Head(method.decode(), target, headers, length, keep_alive)


def _plain(headers: CIMultiDict[str]) -> bool:
    if "Host" not in headers or any(name in headers for name in _NOT_PLAIN):
        return False
    return not any(len(headers.getall(name, ())) > 1 for name in _SINGLE)


class _Reader:
    """What llhttp calls while it reads."""

    __slots__ = ("_fields", "complete", "target")

    def __init__(self) -> None:
        self.target = b""
        self.complete = False
        self._fields: list[tuple[bytes, bytes]] = []

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        self.complete = True

    def fields(self) -> Iterator[tuple[str, str]]:
        """Yield the header fields as text, as aiohttp decodes them."""
        for name, value in self._fields:
            yield name.decode("ascii"), value.strip(b" \t").decode("utf-8", "surrogateescape")
