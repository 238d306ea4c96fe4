"""Streams of somebody's Redis or Valkey, read through a consumer group."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import orjson

from collector.bridges.queue.broker import CONNECT_SECONDS, FETCH_SECONDS, BrokerError, Message
from collector.store import RedisError, StoreError
from collector.store.connect import connect
from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.sources.queue import QueueSettings

_FIRST = {"oldest": "0", "newest": "$"}


class RedisStreams:
    """A stream and a group of it. What a worker left behind is taken over once it is old enough."""

    def __init__(self, settings: QueueSettings, worker: str) -> None:
        self._settings = settings
        self._worker = worker
        self._open = AsyncExitStack()
        self._redis: Any = None
        self._claim_at = 0.0
        self._next = "0"  # first what this worker was given and has not acknowledged

    async def connect(self) -> None:
        """Connect, and make stream and group when they are not there."""
        settings = self._settings
        with _explained():
            self._redis = await self._open.enter_async_context(connect(_url(settings), CONNECT_SECONDS))
            try:
                await self._redis.xgroup_create(
                    settings.topic, settings.group, _FIRST[settings.start], mkstream=True
                )
            except RedisError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def fetch(self) -> list[Message]:
        """Return new entries, and before them those that were left behind."""
        with _explained():
            return await self._left_behind() or await self._new()

    async def done(self, messages: Sequence[Message]) -> None:
        """Acknowledge entries."""
        with _explained():
            settings = self._settings
            await self._redis.xack(settings.topic, settings.group, *(each.token for each in messages))

    async def close(self) -> None:
        """Leave; the group keeps the name of the worker for what it has not acknowledged."""
        await self._open.aclose()

    async def _new(self) -> list[Message]:
        settings = self._settings
        answer: Any = await self._redis.xreadgroup(
            settings.group,
            self._worker,
            {settings.topic: self._next},
            count=settings.prefetch,
            block=int(FETCH_SECONDS * 1000),
        )
        entries = [each for _, some in answer or () for each in some]
        if self._next == "0" and not entries:
            self._next = ">"
        return [self._message(entry, fields) for entry, fields in entries if fields]

    async def _left_behind(self) -> list[Message]:
        settings = self._settings
        if time.monotonic() < self._claim_at:
            return []
        idle_ms = settings.takeover_seconds * 1000
        answer: Any = await self._redis.xautoclaim(
            settings.topic, settings.group, self._worker, idle_ms, count=settings.prefetch
        )
        entries = answer[1]
        if not entries:
            self._claim_at = time.monotonic() + settings.takeover_seconds / 2
        return [self._message(entry, fields) for entry, fields in entries if fields]

    def _message(self, entry: bytes, fields: dict[bytes, bytes]) -> Message:
        settings = self._settings
        texts = {name.decode(errors="replace"): value for name, value in fields.items()}
        body = texts.pop(settings.field, b"") if settings.field else _object(texts)
        headers = {name: value.decode(errors="replace") for name, value in texts.items()}
        return Message(body, settings.topic, entry.decode(), entry, headers if settings.field else {})


def _object(texts: dict[str, bytes]) -> bytes:
    return orjson.dumps({name: value.decode(errors="replace") for name, value in texts.items()})


def _url(settings: QueueSettings) -> str:
    scheme, _, place = settings.url.partition("://")
    password = settings.password.get_secret_value()
    login = f"{quote(settings.user, safe='')}:{quote(password, safe='')}@" if password else ""
    files = {"ssl_ca_certs": settings.ca, "ssl_certfile": settings.certificate, "ssl_keyfile": settings.key}
    options = urlencode({name: path for name, path in files.items() if path and settings.tls})
    joint = "&" if "?" in place else "?"
    return f"{scheme}://{login}{place}{joint + options if options else ''}"


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise BrokerError(str(error).replace("redis_url (HEADWATER_REDIS_URL)", "The address")) from None
    except (RedisError, OSError) as error:
        raise BrokerError(why(error)) from None
