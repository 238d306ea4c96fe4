"""Columns that grow: one for each property of the events of a file, of the type that all its values fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from collector.protocols.decode import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST = 200  # names come from the street
_INTEGERS = range(-(2**63), 2**63)


def grown(properties: Sequence[str | None]) -> Iterator[tuple[str, Any]]:
    """Yield a name and an array for each property of rows whose properties are JSON.

    Names are in small letters, since few readers tell Total from total; the first of a row counts.
    """
    found: dict[str, list[Any]] = {}
    for place, text in enumerate(properties):
        values = orjson.loads(text) if text else None
        for name, value in values.items() if isinstance(values, dict) else ():
            column = f"property_{name.lower()}"
            if column in found or len(found) < _MOST:
                held = found.setdefault(column, [None] * len(properties))
                held[place] = value if held[place] is None else held[place]
    for column, held in found.items():
        yield column, _array(held)


def _array(values: Sequence[Any]) -> Any:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {int} and all(value is None or value in _INTEGERS for value in values):
        return pa.array(values, pa.int64())
    if kinds <= {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else to_json(value).decode()
