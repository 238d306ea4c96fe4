"""The catalogue of sources: kept in Redis, held in memory, followed live, with a snapshot on local disk.

Every write appends to a change stream in the same transaction; every collector blocks on that stream, so
a change reaches all of them at once, and one that was away reads what it missed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError

from collector.sources.form import (
    SourceError,
    TakenError,
    merge,
    rewritten,
    to_source,
)
from collector.sources.held import Held, names_of
from collector.sources.history import changes
from collector.sources.rollout import require_older
from collector.sources.rows import put_down, stored
from collector.store.followed import Followed
from collector.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from collector.model import Source
    from collector.sources.form import SourceForm
    from collector.sources.history import Change
    from collector.store import Names, Redis

log = structlog.get_logger()

_BLOCK_MS = 500  # under the least redis_timeout_seconds


class Catalogue(Followed):
    """All sources by id and alias, as of the last change read."""

    def __init__(self, redis: Redis, names: Names, snapshot: Path | None = None) -> None:
        self._redis = redis
        self._names = names
        self._held = Held()
        self._snapshot = Snapshot(snapshot, self._lines)
        self._seen = "0-0"

    def __iter__(self) -> Iterator[Source]:
        return iter(sorted(self._held, key=lambda source: source.created))

    def __len__(self) -> int:
        return len(self._held)

    @property
    def seen(self) -> str:
        """The id of the last change that has been taken."""
        return self._seen

    async def latest(self) -> str:
        """Return the id of the last change that was written. Raises redis.exceptions.RedisError, OSError."""
        last: Any = await self._redis.xrevrange(self._names.changes, count=1)
        return last[0][0].decode() if last else "0-0"

    def find(self, name: str) -> Source | None:
        """Return the source with this id or alias."""
        return self._held.find(name)

    def of_bridge(self, bridge: str) -> list[Source]:
        """Return the sources of a bridge, without looking at any other."""
        return self._held.of_bridge(bridge)

    def get(self, name: str) -> Source:
        """Return the source with this id or alias, or raise SourceError."""
        source = self.find(name)
        if source is None:
            raise SourceError(f"No source is called {name!r}. List them with: headwater source list")
        return source

    def retention(self) -> dict[str, int]:
        """Return for each stream the hours that its events are kept: the longest of its sources'."""
        hours: dict[str, int] = {}
        for source in self._held:
            for stream in source.streams:
                hours[stream] = max(source.retention_hours, hours.get(stream, 0))
        return hours

    async def load(self) -> None:
        """Read all sources from Redis; when it does not answer, from the snapshot."""
        try:
            await self._load_all()
        except (RedisError, OSError) as error:
            log.warning("sources_from_snapshot", error=str(error))
            self._load_snapshot()

    async def add(self, form: SourceForm) -> Source:
        """Store a new source. Raises SourceError when its id or an alias is taken."""
        now = _now()
        new = to_source(form, created=now, updated=now, version=1)

        async def write(pipe: Any) -> Source:
            if self.find(form.id) or await pipe.hexists(self._names.sources, form.id):
                raise TakenError(f"A source called {form.id!r} exists already. Choose another id.")
            self._refuse_taken_names(new)
            await require_older(self._redis, self._names, None, new)
            pipe.multi()
            put_down(pipe, self._names, "add", None, new)
            return new

        return await self._write(write)

    async def change(self, name: str, fields: Mapping[str, Any], *, version: int | None = None) -> Source:
        """Change fields of a source; ``settings`` and ``privacy`` are merged key by key.

        A masked secret among the fields stands for the secret that the source has. ``version`` is the one
        that the changer has seen. Raises SourceError, and StaleError when it has been changed since.
        """
        return await self._rewrite(name, lambda old: merge(old, fields), version)

    async def replace(self, name: str, fields: Mapping[str, Any], *, version: int | None = None) -> Source:
        """Write all fields of a source anew; those left out get their defaults. Raises as ``change`` does."""
        return await self._rewrite(name, lambda old: {"id": old["id"], **fields}, version)

    async def remove(self, name: str, *, version: int | None = None) -> None:
        """Forget a source. Raises SourceError, StaleError."""
        source_id = self.get(name).id

        async def write(pipe: Any) -> Source:
            old = await stored(pipe, self._names, source_id, version)
            pipe.multi()
            put_down(pipe, self._names, "remove", old, None)
            return old

        await self._redis.transaction(write, self._names.sources)
        self._held.forget(source_id)

    async def history(self, source_id: str, *, before: str = "", most: int = 50) -> list[Change]:
        """Return what was changed at a source, the latest first; ``before`` is an older page's cursor."""
        return await changes(self._redis, self._names, source_id, before=before, most=most)

    async def _rewrite(
        self, name: str, fields: Callable[[dict[str, Any]], dict[str, Any]], version: int | None
    ) -> Source:
        """Write what ``fields`` makes of the stored fields: those in memory may be a moment old."""
        source_id = self.get(name).id

        async def write(pipe: Any) -> Source:
            old = await stored(pipe, self._names, source_id, version)
            new = rewritten(old, fields, _now())
            self._refuse_taken_names(new)
            await require_older(self._redis, self._names, old, new)
            pipe.multi()
            put_down(pipe, self._names, "change", old, new)
            return new

        return await self._write(write)

    async def _write(self, write: Callable[[Any], Awaitable[Source]]) -> Source:
        """Write a source, again when another change came between reading and writing."""
        source: Source = await self._redis.transaction(write, self._names.sources, value_from_callable=True)
        held = self._held.get(source.id)
        if held is None or held.created != source.created or held.version < source.version:
            self._held.put(source)
        return source

    def _refuse_taken_names(self, source: Source) -> None:
        for name in names_of(source):
            holder = self.find(name)
            if holder is not None and holder.id != source.id:
                raise TakenError(f"The name {name!r} belongs to the source {holder.id!r}. Choose another.")

    async def _load_all(self) -> None:
        last: Any = await self._redis.xrevrange(self._names.changes, count=1)
        rows: Any = await self._redis.hgetall(self._names.sources)
        self._seen = last[0][0].decode() if last else "0-0"
        self._held = await self._held.renewed((name.decode(), raw) for name, raw in rows.items())
        self.fresh = True
        self._snapshot.note()

    async def _follow(self) -> None:
        answer: Any = await self._redis.xread({self._names.changes: self._seen}, block=_BLOCK_MS, count=1000)
        for _, entries in answer:
            self._snapshot.note()
            for entry, fields in entries:
                await self._refresh(fields[b"id"].decode())
                self._seen = entry.decode()

    async def _refresh(self, source_id: str) -> None:
        before = self._held.get(source_id)
        raw: Any = await self._redis.hget(self._names.sources, source_id)
        if self._held.get(source_id) is not before:
            return  # changed here meanwhile: what was read may be older, and this change comes round too
        if raw is None:
            self._held.forget(source_id)
        else:
            self._held.take(raw)

    def _lines(self) -> list[bytes]:
        return self._held.stored()

    def _load_snapshot(self) -> None:
        for raw in filter(None, self._snapshot.read() or ()):
            self._held.take(raw)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
