"""One round trip to Redis for a group of events: the arguments of append.lua, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.store import Names, Redis

_SCRIPT = (Path(__file__).parent / "append.lua").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Record:
    """An event as it is written: ``window`` is how long its id is remembered, in seconds."""

    visitor: str
    stream: str
    source: str
    type: str
    id: str
    window: int
    data: bytes


class Appender:
    """Append groups of records to one partition. Raises redis.exceptions.RedisError, OSError."""

    def __init__(self, redis: Redis, names: Names, partition: int) -> None:
        self._redis = redis
        self._names = names
        self._partition = partition
        self._sha = ""

    async def append(self, records: Sequence[Record]) -> list[str | None]:
        """Append the records in order; return each one's entry id, None where its id was seen before."""
        keys, arguments = self._pack(records)
        try:
            answer = await self._redis.evalsha(self._sha, len(keys), *keys, *arguments)
        except NoScriptError:
            self._sha = await self._redis.script_load(_SCRIPT)
            answer = await self._redis.evalsha(self._sha, len(keys), *keys, *arguments)
        return [entry.decode() or None for entry in answer]

    def _pack(self, records: Sequence[Record]) -> tuple[list[str], list[Any]]:
        streams: dict[str, int] = {}
        arguments: list[Any] = []
        for record in records:
            number = streams.setdefault(record.stream, len(streams) + 1)
            arguments += (number, record.source, record.window, digest(record.id), record.type, record.data)
        keys = [self._names.stream(self._partition, stream) for stream in streams]
        return [self._names.ids(self._partition), *keys], arguments


def digest(event_id: str) -> int:
    """Return the signed 64-bit number that an event id is remembered by."""
    return int.from_bytes(blake2b(event_id.encode(), digest_size=8).digest(), "big", signed=True)
