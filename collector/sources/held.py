"""The sources in memory, by id, name and bridge, each with the JSON that it was stored as.

It knows nothing of Redis and of disks. The JSON tells what has changed, and is what the snapshot is made of.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from collector.sources.base import SITE
from collector.sources.form import dump, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from collector.model import Source

log = structlog.get_logger()

_AT_A_TIME = 100  # sources that are read before hits get their turn: some milliseconds


class Held:
    """The sources as of one moment."""

    def __init__(self) -> None:
        self._by_id: dict[str, Source] = {}
        self._by_name: dict[str, Source] = {}
        self._by_bridge: dict[str, dict[str, Source]] = {}
        self._stored: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Source]:
        return iter(self._by_id.values())

    def get(self, source_id: str) -> Source | None:
        """Return the source with this id."""
        return self._by_id.get(source_id)

    def find(self, name: str) -> Source | None:
        """Return the source with this id or another of its names."""
        return self._by_name.get(name)

    def of_bridge(self, bridge: str) -> list[Source]:
        """Return the sources of a bridge, without looking at any other."""
        return list(self._by_bridge.get(bridge, {}).values())

    def stored(self) -> list[bytes]:
        """Return what each source was stored as."""
        return list(self._stored.values())

    def take(self, raw: bytes) -> None:
        """Take a stored source; one that this version cannot read is left out, loudly."""
        try:
            self.put(load(raw), raw)
        except (ValueError, KeyError, TypeError) as error:
            log.error("source_unreadable", error=str(error))

    def put(self, source: Source, raw: bytes | None = None) -> None:
        """Take a source in place of what had its id."""
        self.forget(source.id)
        self._by_id[source.id] = source
        self._by_bridge.setdefault(source.bridge, {})[source.id] = source
        self._stored[source.id] = dump(source) if raw is None else raw
        for name in names_of(source):
            self._by_name[name] = source

    def forget(self, source_id: str) -> None:
        """Forget a source, if it is there."""
        old = self._by_id.pop(source_id, None)
        if old is None:
            return
        del self._stored[source_id]
        del self._by_bridge[old.bridge][source_id]
        for name in names_of(old):
            self._by_name.pop(name, None)

    async def renewed(self, rows: Iterable[tuple[str, bytes]]) -> Held:
        """Return what is held once these are all the sources: only those that differ are read anew."""
        new = Held()
        for number, (source_id, raw) in enumerate(rows):
            if not number % _AT_A_TIME:
                await asyncio.sleep(0)
            old = self._by_id.get(source_id)
            if old is not None and self._stored[source_id] == raw:
                new.put(old, raw)
            else:
                new.take(raw)
        return new


def names_of(source: Source) -> tuple[str, ...]:
    """Return the names that lead to a source: its id and its aliases in paths, its write keys' and sites'."""
    settings = source.settings
    keys = (key.name for key in getattr(settings, "keys", ()))
    sites = (f"{SITE}{site}" for site in getattr(settings, "sites", ()))
    return (source.id, *getattr(settings, "aliases", ()), *keys, *sites)
