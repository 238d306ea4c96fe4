"""One round trip to Redis for a group of events: the arguments of append.lua, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b, sha1
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.exceptions import NoScriptError, RedisError

from collector.store.cluster import on_one_connection
from collector.store.line import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.store import Names, Redis

_SCRIPT = (Path(__file__).parent / "append.lua").read_text(encoding="utf-8")
_SHA = sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()

_PLACE = attrgetter("stream", "source", "window")


class Record(NamedTuple):
    """An event as it is written: ``window`` is how long its id is remembered, in seconds."""

    visitor: str
    stream: str
    source: str
    type: str
    id: str
    window: int
    data: bytes


class Receipt(NamedTuple):
    """What became of a record: stored, spooled, accepted or duplicate; and its entry id when known."""

    verdict: str
    entry: str | None = None


SPOOLED = Receipt("spooled")
_DUPLICATE = Receipt("duplicate")


@dataclass(frozen=True, slots=True)
class Mark:
    """What a group is recognised by when it is sent again: its writer, and the numbers that it covers."""

    writer: str
    first: int
    last: int


class Appended(Exception):  # noqa: N818 - no error: Redis has the group
    """The group, or its beginning up to number ``last``, is in the stream already."""

    def __init__(self, last: int) -> None:
        super().__init__(last)
        self.last = last


class Appender:
    """Append groups of records to one partition. Raises redis.exceptions.RedisError, OSError."""

    def __init__(self, redis: Redis, names: Names, partition: int, *, replicas: int = 0) -> None:
        self._redis = redis
        self._line = Line(redis)
        self._replicas = replicas
        self._names = names
        self.partition = partition

    async def append(self, records: Sequence[Record], *marks: Mark) -> list[Receipt]:
        """Append the records in order, as one; return what became of each. Raises also Appended."""
        keys, arguments = self._pack(records, marks)
        try:
            answer = await self._call(keys, "EVALSHA", _SHA, len(keys), *keys, *arguments)
        except NoScriptError:  # restarted, or failed over: nothing was done
            answer = await self._call(keys, "EVAL", _SCRIPT, len(keys), *keys, *arguments)
        if isinstance(answer, int):
            raise Appended(answer)
        return [Receipt("stored", entry.decode()) if entry else _DUPLICATE for entry in answer]

    async def _call(self, keys: Sequence[str], *command: Any) -> Any:
        if not self._replicas:
            return await self._line.call(*command)
        wait = ("WAIT", self._replicas, 0)  # it speaks of what its own connection wrote
        answer, reached = await on_one_connection(self._redis, keys[0], command, wait)
        if reached < self._replicas:
            raise RedisError(f"{reached} of {self._replicas} replicas have it")
        return answer

    def _pack(self, records: Sequence[Record], marks: Sequence[Mark]) -> tuple[list[str], list[Any]]:
        streams: dict[str, int] = {}
        arguments: list[Any] = [len(marks)]
        for mark in marks:
            arguments += (mark.first, mark.last)
        for (stream, source, window), run in groupby(records, _PLACE):
            events = [part for each in run for part in (digest(each.id), each.type, each.data)]
            number = streams.setdefault(stream, len(streams) + 1)
            arguments += (number, source, window, len(events) // 3, *events)
        keys = [self._names.ids(self.partition)]
        keys += [self._names.writer(self.partition, mark.writer) for mark in marks]
        keys += [self._names.stream(self.partition, stream) for stream in streams]
        return keys, arguments


def digest(event_id: str) -> int:
    """Return the signed 64-bit number that an event id is remembered by."""
    return int.from_bytes(blake2b(event_id.encode(), digest_size=8).digest(), "big", signed=True)
