"""How a source stands in Redis: read within a transaction, and written with all that goes with a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.sources.form import SourceError, StaleError, dump, load
from collector.sources.history import note

if TYPE_CHECKING:
    from collector.model import Source
    from collector.store import Names

_CHANGES_KEPT = 10_000


async def stored(pipe: Any, names: Names, source_id: str, version: int | None) -> Source:
    """Return a source as it is now. Raises SourceError when it is gone, StaleError for another version."""
    raw: bytes | None = await pipe.hget(names.sources, source_id)
    if raw is None:
        raise SourceError(f"The source {source_id!r} has been removed.")
    found: Source = load(raw)
    if version not in {None, found.version}:
        raise StaleError(f"The source {source_id!r} has been changed meanwhile. Look at it again.")
    return found


def put_down(pipe: Any, names: Names, what: str, old: Source | None, new: Source | None) -> None:
    """Put on a pipeline what a change writes: the source, the news for collectors, the history."""
    source = new or old
    if source is None:
        return
    if new:
        pipe.hset(names.sources, source.id, dump(new))
    else:
        pipe.hdel(names.sources, source.id)
    pipe.xadd(names.changes, {"id": source.id, "what": what}, maxlen=_CHANGES_KEPT)
    note(pipe, names, what, old, new)
