"""Consumer groups as they stand: what each has still to read, and for how long that has waited."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError, ResponseError

if TYPE_CHECKING:
    from collector.store import Names, Redis


@dataclass(frozen=True, slots=True)
class Group:
    """A group on one partition.

    ``needs`` is the oldest entry that it has not acknowledged, None when it has read all. ``lag`` counts
    entries not yet acknowledged, None when Redis cannot tell. ``age`` is that of ``needs``, in seconds.
    """

    name: str
    stream: str
    partition: int
    needs: str | None
    lag: int | None
    age: float


async def list_groups(redis: Redis, names: Names, stream: str, partition: int) -> list[Group]:
    """Return the groups of a partition of a stream. Raises redis.exceptions.RedisError, OSError."""
    key = names.stream(partition, stream)
    try:
        rows: Any = await redis.xinfo_groups(key)
    except ResponseError as error:
        if "no such key" in str(error):
            return []
        raise
    return [await _group(redis, key, stream, partition, row) for row in rows]


async def drop_group(redis: Redis, names: Names, stream: str, partitions: int, group: str) -> int:
    """Forget a group on every partition; return how many partitions knew it."""
    dropped = 0
    for partition in range(partitions):
        if any(each.name == group for each in await list_groups(redis, names, stream, partition)):
            dropped += await redis.xgroup_destroy(names.stream(partition, stream), group)
    return dropped


async def drop_stream(redis: Redis, names: Names, stream: str, partitions: int) -> None:
    """Delete a stream that was made for a test, with its groups."""
    for partition in range(partitions):
        await redis.delete(names.stream(partition, stream))


async def unread(redis: Redis, names: Names, stream: str, partitions: int, group: str) -> int | None:
    """Count what a group has not acknowledged; None when Redis cannot tell now."""
    try:
        groups = [
            each
            for partition in range(partitions)
            for each in await list_groups(redis, names, stream, partition)
            if each.name == group
        ]
    except (RedisError, OSError):
        return None
    return None if any(each.lag is None for each in groups) else sum(each.lag or 0 for each in groups)


async def start_group(
    redis: Redis, names: Names, stream: str, partitions: int, group: str, *, start: str
) -> None:
    """Let a group read on from after an entry id, ``0`` or ``$``; it is made when it is new.

    What it had taken and not acknowledged is delivered again as before.
    """
    for partition in range(partitions):
        key = names.stream(partition, stream)
        try:
            await redis.xgroup_create(key, group, id=start, mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
            await redis.xgroup_setid(key, group, start)


async def _group(redis: Redis, key: str, stream: str, partition: int, row: dict[str, Any]) -> Group:
    needs = await _oldest_needed(redis, key, row)
    unread = row.get("lag")
    return Group(
        name=row["name"].decode(),
        stream=stream,
        partition=partition,
        needs=needs,
        lag=None if unread is None else unread + row["pending"],
        age=max(0.0, time.time() - int(needs.split("-")[0]) / 1000) if needs else 0.0,
    )


async def _oldest_needed(redis: Redis, key: str, row: dict[str, Any]) -> str | None:
    if row["pending"]:
        pending: Any = await redis.xpending(key, row["name"])
        if pending["min"]:
            return str(pending["min"].decode())
    following: Any = await redis.xrange(key, f"({row['last-delivered-id'].decode()}", count=1)
    return str(following[0][0].decode()) if following else None
