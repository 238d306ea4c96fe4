"""Which ids Kafka has: Redis remembers them by partition, and shows the last events to who looks there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.stream.append import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.store import Names, Redis
    from collector.stream.append import Record

_IDS = (Path(__file__).parent / "ids.lua").read_text(encoding="utf-8")


class Ids:
    """The ids of one partition and its last events, in Redis. Raises redis' RedisError, OSError."""

    def __init__(self, redis: Redis, names: Names, partition: int) -> None:
        self._script = redis.register_script(_IDS)
        self._names = names
        self._partition = partition

    async def look(self, records: Sequence[Record]) -> list[int]:
        """Return for each record whether its id was seen."""
        return await self._call("look", records)

    async def keep(self, records: Sequence[Record]) -> None:
        """Remember the ids of records, and show the last ones to who looks into Redis."""
        await self._call("keep", records)

    async def _call(self, what: str, records: Sequence[Record]) -> list[int]:
        streams: dict[str, int] = {}
        arguments: list[Any] = [what]
        for each in records:
            number = streams.setdefault(each.stream, len(streams) + 1)
            shown = (each.type, each.data) if what == "keep" else ("", "")
            arguments += (number, each.source, each.window, digest(each.id), *shown)
        keys = [self._names.ids(self._partition)]
        keys += [self._names.stream(self._partition, stream) for stream in streams]
        seen: list[int] = await self._script(keys, arguments)
        return seen
