"""Calls over HTTP to one target, and what its answers mean to a sink."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from collector.sinks import Away, Rejected, SinkError
from collector.wording import why

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from aiohttp.abc import AbstractResolver

_LONGEST_RETRY_AFTER = 3600.0
_LONGEST_ANSWER = 16 * 1024**2
_NEVER = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
_UNWELCOME = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a target answered; ``seconds`` is the wait that it asked for."""

    status: int
    body: bytes
    seconds: float

    @property
    def taken(self) -> bool:
        """Whether it said yes. A redirect is no yes: nobody follows it."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


class Calls:
    """Calls that share connections; ``seconds`` is how long one may take."""

    def __init__(
        self,
        seconds: float,
        *,
        resolver: Callable[[], AbstractResolver] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._seconds = seconds
        self._resolver = resolver
        self._tls = tls
        self._session: ClientSession | None = None

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], params: Mapping[str, str] | None = None
    ) -> Reply:
        """Send a body; return what was answered, whatever it was. Raises Away when nothing was."""
        if self._session is None:
            resolver = self._resolver() if self._resolver else None
            connector = TCPConnector(resolver=resolver, ssl=self._tls or True)
            self._session = ClientSession(connector=connector, timeout=ClientTimeout(self._seconds))
        try:
            async with self._session.post(
                url, data=body, headers=headers, params=params, allow_redirects=False
            ) as answer:
                content = bytearray()
                async for chunk in answer.content.iter_any():
                    content += chunk
                    if len(content) > _LONGEST_ANSWER:
                        raise Away(f"It answered {answer.status} and more than {_LONGEST_ANSWER} bytes.")
                wait = _retry_after(answer.headers.get("Retry-After", ""))
                return Reply(answer.status, bytes(content), wait)
        except (ClientError, TimeoutError) as error:
            raise Away(f"It did not answer: {why(error)}.") from None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


class Receiver:
    """Judges a target's answers to batches.

    Many answer 400 to a key or signature that they do not know, so it tells of the batch only once one was
    taken. ``unwelcome`` is what 401 and 403 mean; they are waited out without it.
    """

    def __init__(self, calls: Calls, unwelcome: str = "") -> None:
        self._calls = calls
        self._unwelcome = unwelcome
        self._taken = False

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a batch. Raises Away, Rejected, SinkError unless it was taken."""
        reply = await self._calls.post(url, body, headers)
        if reply.taken:
            self._taken = True
            return
        said = f"It answered {reply.status}."
        if reply.status in _NEVER or (reply.status == HTTPStatus.BAD_REQUEST and self._taken):
            raise Rejected(said)
        if self._unwelcome and reply.status in _UNWELCOME:
            raise SinkError(f"It answered {reply.status}: {self._unwelcome}")
        raise Away(said, reply.seconds)


def _retry_after(text: str) -> float:
    seconds = float(text) if text.isascii() and text.isdigit() else 0
    return min(seconds, _LONGEST_RETRY_AFTER)
