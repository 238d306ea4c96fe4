"""A request that has arrived as a whole: what bridges see of it, without aiohttp."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from collector.lean.head import Head


class LeanRequest:
    """See ``collector.exchange.Request``. Its body is here already."""

    __slots__ = ("_body", "headers", "match_info", "method", "raw_path", "remote")

    scheme = "http"  # TLS ends at a proxy

    def __init__(self, head: Head, body: bytes, match_info: Mapping[str, str], remote: str | None) -> None:
        self.method = head.method
        self.raw_path = head.target
        self.headers = head.headers
        self._body = body
        self.match_info = match_info
        self.remote = remote

    @property
    def path(self) -> str:  # noqa: D102
        return self.raw_path.partition("?")[0]

    @property
    def host(self) -> str:  # noqa: D102
        return self.headers["Host"]

    @property
    def content_length(self) -> int:  # noqa: D102
        return len(self._body)

    @property
    def content(self) -> LeanRequest:
        """Itself: there is nothing to wait for."""
        return self

    def is_eof(self) -> bool:
        """Tell that all has come."""
        return True

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Yield the body."""
        yield self._body

    async def read(self) -> bytes:
        """Return the body."""
        return self._body
