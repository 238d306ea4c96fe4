"""What was changed at a source, by whom and when: a bounded stream per source, written with each change."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from collector.sources.form import plain
from collector.sources.secret import Revealed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.model import Source
    from collector.store import Names, Redis

_KEPT = 500
_KEPT_AFTER_REMOVAL_SECONDS = 400 * 24 * 3600
_LONGEST_VALUE = 2000
_NESTED = ("settings", "privacy", "enrichment")

# Set by whoever lets people in, read where a change is written: the rooms between need not pass it on.
_ACTOR: ContextVar[str] = ContextVar("actor", default="")


@dataclass(frozen=True, slots=True)
class Change:
    """One change. ``who`` is empty for the collector itself; ``fields`` are path, before and after.

    ``entry`` is its place in the history, and the cursor for older ones.
    """

    entry: str
    at: str
    who: str
    what: str
    version: int
    fields: list[tuple[str, Any, Any]]


@contextmanager
def acting(who: str) -> Iterator[None]:
    """Write changes to this name for as long as the context lasts."""
    token = _ACTOR.set(who)
    try:
        yield
    finally:
        _ACTOR.reset(token)


def note(pipe: Any, names: Names, what: str, old: Source | None, new: Source | None) -> None:
    """Put a change on a pipeline, with what is other than before; secrets stay masked."""
    source = new or old
    if source is None:
        return
    key = names.history(source.id)
    fields = {
        "who": _ACTOR.get(),
        "what": what,
        "version": source.version,
        "fields": orjson.dumps(_differences(old, new)),
    }
    pipe.xadd(key, fields, maxlen=_KEPT, approximate=False)
    if new is None:
        pipe.expire(key, _KEPT_AFTER_REMOVAL_SECONDS)
    else:
        pipe.persist(key)


async def changes(
    redis: Redis, names: Names, source: str, *, before: str = "", most: int = 50
) -> list[Change]:
    """Return the changes of a source, the latest first. Raises redis.exceptions.RedisError, OSError."""
    end = f"({before}" if before else "+"
    rows: Any = await redis.xrevrange(names.history(source), max=end, count=most)
    return [_change(entry.decode(), fields) for entry, fields in rows]


def _change(entry: str, fields: dict[bytes, bytes]) -> Change:
    at = datetime.fromtimestamp(int(entry.partition("-")[0]) / 1000, UTC)
    return Change(
        entry,
        at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        fields[b"who"].decode(),
        fields[b"what"].decode(),
        int(fields[b"version"]),
        [(path, before, after) for path, before, after in orjson.loads(fields[b"fields"])],
    )


def _differences(old: Source | None, new: Source | None) -> list[tuple[str, Any, Any]]:
    """Return path, before and after of every field that differs, as people see the fields."""
    if old is None or new is None:
        return []
    before, after = _flat(plain(old)), _flat(plain(new))
    was, becomes = _flat(plain(old, Revealed())), _flat(plain(new, Revealed()))
    paths = [*was, *(path for path in becomes if path not in was)]
    return [
        (path, _short(before.get(path)), _short(after.get(path)))
        for path in paths
        if was.get(path) != becomes.get(path)
    ]


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in fields.items() if name not in _NESTED}
    for name in _NESTED:
        flat |= {f"{name}.{key}": value for key, value in fields[name].items()}
    return flat


def _short(value: Any) -> Any:
    written = orjson.dumps(value)
    return value if len(written) <= _LONGEST_VALUE else f"({len(written)} bytes)"
