"""What a bridge sees of HTTP: a request, whoever read it, and the plain answer that it returns."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from multidict import CIMultiDictProxy

if TYPE_CHECKING:
    from collections.abc import Mapping

REASON_HEADER = "X-Headwater-Reason"
_LAST = {"too_large", "inflated_too_large"}  # reasons after which a connection is of no more use

# One transparent pixel in 43 bytes.
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")

PIXEL_HEADERS = {
    "Content-Type": "image/gif",
    "Cache-Control": "no-store, private, max-age=0",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


class SharedHeaders(CIMultiDictProxy[str]):
    """The header fields of requests whose heads are the same, byte for byte: one object, a key to look up."""

    __slots__ = ()
    __hash__ = object.__hash__


class SharedFields(dict[str, str]):
    """The header fields of answers that are the same again and again: one object, a key to look up."""

    __slots__ = ()
    __hash__ = object.__hash__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Header names are written as they shall appear; a body names its Content-Type there."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def last(self) -> bool:
        """Whether the connection ends with it: for each bomb one must connect anew."""
        return self.headers.get(REASON_HEADER) in _LAST


class Request(Protocol):
    """The part of aiohttp's request that the bridges of the hot paths use; ``lean`` has one of its own.

    ``raw_path`` is the path with its query, as sent; ``match_info`` holds the named parts of the path;
    ``remote`` is the peer's address, empty or None on a unix socket.
    """

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def raw_path(self) -> str: ...
    @property
    def scheme(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def remote(self) -> str | None: ...
    @property
    def headers(self) -> Any: ...  # a case-insensitive multidict
    @property
    def match_info(self) -> Mapping[str, str]: ...
    @property
    def content_length(self) -> int | None: ...
    @property
    def content(self) -> Any: ...  # a stream of chunks that tells whether all have come

    async def read(self) -> bytes:
        """Return the whole body as it came."""


def query_of(request: Request) -> str:
    """Return the query as it was sent, still encoded."""
    return request.raw_path.partition("?")[2].partition("#")[0]
