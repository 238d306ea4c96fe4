"""Read the head of a request with llhttp, strictly: what is not plain and whole is left to aiohttp."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import httptools
from multidict import CIMultiDict

from collector.exchange import SharedHeaders

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from collector.exchange import Answer, Request

    Handler: TypeAlias = "Callable[[Request], Awaitable[Answer]]"
    Found: TypeAlias = "tuple[Handler, Mapping[str, str]]"

_METHODS = {b"GET", b"HEAD", b"POST"}
# Fields that change how a message is framed or understood: with one of them it is not a plain request.
_NOT_PLAIN = {"transfer-encoding", "upgrade", "expect", "trailer", "te"}
_LENGTH = b"\r\nContent-Length: "
_MOST_DIGITS = 6
_REMEMBERED = 1024
_LONGEST_REMEMBERED = 2048
_SINGLE = ("Host", "Content-Length", "Content-Type", "Content-Encoding", "Origin", "Referer")


@dataclass(slots=True)
class Head:
    """The head of a plain request; ``target`` is its path with the query, as sent."""

    method: str
    target: str
    headers: SharedHeaders
    length: int
    keep_alive: bool


class Heads:
    """Read heads and find what answers them; one that was read of late is not read again.

    A visitor's requests have heads that are the same, byte for byte, but for the length of their bodies.
    """

    def __init__(self, find: Callable[[Head], Found | None]) -> None:
        self._find = find
        self._recall = lru_cache(_REMEMBERED)(self._read)

    def forget(self) -> None:
        """Forget the heads that were read."""
        self._recall.cache_clear()

    def read(self, data: bytes) -> tuple[Head, Found, int] | None:
        """Return a plain request's head, its handler and the length of its body; None when not for here."""
        key, length = _without_length(data)
        read = self._recall(key) if len(key) <= _LONGEST_REMEMBERED else self._read(key)
        if read is None:
            return None
        head, found = read
        length = length or head.length
        if length and head.method != "POST":
            return None
        return head, found, length

    def _read(self, data: bytes) -> tuple[Head, Found] | None:
        head = read_head(data)
        found = self._find(head) if head else None
        return (head, found) if head and found else None


def _without_length(data: bytes) -> tuple[bytes, int]:
    """Return a head that names 0 as its body's length, and the length; one that is written oddly as it is."""
    begin = data.find(_LENGTH) + len(_LENGTH)
    end = data.find(b"\r\n", begin)
    digits = data[begin:end]
    if begin < len(_LENGTH) or not digits.isdigit() or len(digits) > _MOST_DIGITS:
        return data, 0
    return data[:begin] + b"0" + data[end:], int(digits)


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
    try:
        target = reader.target.decode("ascii")
    except UnicodeDecodeError:
        return None
    keep_alive = "close" not in headers.get("Connection", "").lower()
    return Head(method.decode(), target, SharedHeaders(headers), length, keep_alive)


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
