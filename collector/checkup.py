"""Look at everything that must be right, and say what to do about what is not: for doctor and console."""

from __future__ import annotations

import platform
import shutil
import time
from dataclasses import dataclass
from importlib.metadata import version
from itertools import product
from typing import TYPE_CHECKING, Any

import aiohttp
import aiohttp.http_parser

from collector import __version__
from collector.model import PlainError
from collector.sources import Catalogue
from collector.store import Names, RedisError
from collector.store.cluster import on_every_node
from collector.store.queues import queue_states
from collector.store.trackers import TrackerArchive
from collector.stream.groups import list_groups
from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from collector.settings import Settings
    from collector.store import Redis

_LEAST_AIOHTTP = (3, 14, 5)  # earlier ones let strangers stall or confuse the parser
_LEAST_REDIS = (6, 2)
_LEAST_FREE_BYTES = 1024**3
_MOST_CLOCK_SECONDS = 1.0
_MOST_GROUP_SECONDS = 24 * 3600


class PartError(PlainError):
    """A part that the collector needs is not good enough; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is right, and a sentence."""

    right: bool
    name: str
    text: str


def require_parser() -> None:
    """Raise PartError unless aiohttp is new enough and reads requests with its C parser."""
    number = version("aiohttp")
    if tuple(int(part) for part in number.split(".")[:3] if part.isdigit()) < _LEAST_AIOHTTP:
        least = ".".join(map(str, _LEAST_AIOHTTP))
        raise PartError(f"aiohttp {number} is too old: install {least} or later.")
    if not hasattr(aiohttp.http_parser, "HttpRequestParserC"):
        raise PartError("aiohttp runs without its C parser: install its wheel.")


def look_here(settings: Settings) -> list[Finding]:
    """Return the findings about this process and its disk."""
    return [*_process(), _data_folder(settings)]


async def look_at_servers(redis: Redis) -> list[Finding]:
    """Return the findings about each server of Redis itself. Raises redis.exceptions.RedisError, OSError."""
    nodes = await on_every_node(redis, "INFO")
    findings = [finding for node, info in nodes.items() for finding in _server(node, info)]
    return [*findings, await _clock(redis)]


async def look_at_redis(redis: Redis, settings: Settings) -> list[Finding]:
    """Return the findings about Redis and who reads from it. Raises redis.exceptions.RedisError, OSError."""
    findings = await look_at_servers(redis)
    names = Names(settings.namespace)
    catalogue = Catalogue(redis, names)
    await catalogue.load()
    streams = {"events", *catalogue.retention()}
    findings += [finding async for finding in _groups(redis, names, settings.partitions, streams)]
    findings += await _queues(redis, names, catalogue)
    findings += await _kafka(settings)
    return findings + [finding async for finding in _trackers(redis, names, catalogue)]


async def _kafka(settings: Settings) -> list[Finding]:
    """Show whether Kafka, if it keeps the events, is there and has their topic."""
    if not settings.stream:
        return []
    try:
        from collector.stream.kafka import KafkaAwayError, topics  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        text = "this installation has no library for it: pip install 'headwater[kafka]'"
        return [Finding(right=False, name="kafka", text=text)]
    topic = Names(settings.namespace).topic("events")
    try:
        right = topic in await topics(settings.stream)
    except KafkaAwayError as error:
        return [Finding(right=False, name="kafka", text=f"Kafka does not answer: {error}")]
    text = f"events are in its topic {topic}" if right else f"it has no topic {topic}: make it"
    return [Finding(right=right, name="kafka", text=text)]


def _process() -> Iterator[Finding]:
    names = ("aiohttp", "redis", "orjson", "ua-parser")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    yield Finding(
        right=True,
        name="versions",
        text=f"headwater {__version__}, Python {platform.python_version()}, {versions}",
    )
    compiled = hasattr(aiohttp.http_parser, "HttpRequestParserC")
    text = (
        "aiohttp's C parser is in use" if compiled else "aiohttp runs without its C parser: install its wheel"
    )
    yield Finding(right=compiled, name="http parser", text=text)


def _data_folder(settings: Settings) -> Finding:
    probe = settings.data / ".doctor"
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        return Finding(right=False, name="data folder", text=f"{settings.data}: {error.strerror}")
    free = shutil.disk_usage(settings.data).free
    text = f"{settings.data} is writable, {free / 1024**3:.1f} GiB free"
    return Finding(right=free > _LEAST_FREE_BYTES, name="data folder", text=text)


def _server(node: str, info: dict[str, Any]) -> Iterator[Finding]:
    where = f" ({node})" if node else ""
    number = str(info.get("valkey_version") or info.get("redis_version") or "of an unknown version")
    kind = "Valkey" if "valkey_version" in info else "Redis"
    recent = tuple(int(part) for part in number.split(".")[:2] if part.isdigit()) >= _LEAST_REDIS
    yield Finding(right=recent, name="redis", text=f"{kind} {number}; 6.2 or later is needed{where}")

    if "used_memory" not in info:
        text = "the server does not tell used_memory, so nothing is shed before its memory is full"
        yield Finding(right=False, name="memory", text=text + where)

    policy = info.get("maxmemory_policy", "")
    text = f"maxmemory-policy is {policy}" + ("" if policy == "noeviction" else ": set it to noeviction")
    yield Finding(right=policy == "noeviction", name="eviction", text=text + where)

    durable = bool(info.get("aof_enabled"))
    text = "the append-only file is on" if durable else "the append-only file is off: set appendonly yes"
    yield Finding(right=durable, name="durability", text=text + where)


async def _clock(redis: Redis) -> Finding:
    try:
        seconds, micros = await redis.time()
    except RedisError as error:
        text = f"Redis must tell its time (TIME): {why(error)}"
        return Finding(right=False, name="clock", text=text)
    apart = abs(time.time() - seconds - micros / 1e6)
    text = f"this clock and Redis' are {apart * 1000:.0f} ms apart"
    return Finding(right=apart < _MOST_CLOCK_SECONDS, name="clock", text=text)


async def _groups(
    redis: Redis, names: Names, partitions: int, streams: Iterable[str]
) -> AsyncIterator[Finding]:
    """Show the groups of the streams; one that reads no more holds everything back."""
    for stream, partition in product(sorted(streams), range(partitions)):
        for group in await list_groups(redis, names, stream, partition):
            lag = "an unknown number of" if group.lag is None else group.lag
            place = f"partition {partition} of {stream}"
            text = f"{group.name} on {place} has {lag} events to read, for {group.age:.0f} s"
            reads = group.age < _MOST_GROUP_SECONDS
            hint = "" if reads else f"; start its consumer, or: headwater group drop {group.name}"
            yield Finding(right=reads, name="group", text=text + hint)


async def _trackers(redis: Redis, names: Names, catalogue: Catalogue) -> AsyncIterator[Finding]:
    """Show whose trackers are served in two versions, and who asks for tokens."""
    archive = TrackerArchive(redis, names)
    for source in catalogue:
        if source.bridge != "web" or not source.enabled:
            continue
        told = source.settings
        if told.staged:
            known = told.older in await archive.digests(source.id)
            text = f"{source.id}: {told.rollout} % run the tracker as set, the rest {told.older}"
            lost = "" if known else ", which is not remembered: set rollout=100"
            yield Finding(right=known, name="roll-out", text=text + lost)
        if told.asks_for_token:
            does = {"flag": "flags", "refuse": "refuses"}[told.token]
            text = f"{source.id} {does} hits without a token; pinned tags and pixels carry none"
            yield Finding(right=True, name="token", text=text)


async def _queues(redis: Redis, names: Names, catalogue: Catalogue) -> list[Finding]:
    """Show for each queue source how its readers are; one that nobody reads waits with its broker."""
    rows = await queue_states(redis, names)
    findings = []
    for source in catalogue:
        if source.bridge == "queue" and source.enabled:
            told = [row for row in rows if row["source"] == source.id]
            findings += [_queue(row) for row in told] or [
                Finding(right=False, name="queue", text=f"nobody reads {source.id}: headwater worker queues")
            ]
    return findings


def _queue(row: dict[str, Any]) -> Finding:
    seconds = time.time() - row["since"]
    why = f": {row['text']}" if row["text"] else ""
    text = f"{row['source']} ({row['place']}) is {row['state']} for {seconds:.0f} s{why}"
    return Finding(right=row["state"] == "reading", name="queue", text=text)
