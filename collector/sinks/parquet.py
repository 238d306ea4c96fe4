"""Events as Parquet: columns that everybody asks for, properties as JSON, and the whole event beside them."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the option is converted to it
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from collector.sinks import Limits
from collector.sinks.columns import COLUMNS, values
from collector.sinks.folder import BatchFolder, FileSink

if TYPE_CHECKING:
    from collections.abc import Sequence

_WHOLE = "message"
_TYPES = {"text": pa.string(), "time": pa.timestamp("ms", tz="UTC"), "bool": pa.bool_(), "json": pa.string()}
_SCHEMA = pa.schema([*((each.name, _TYPES[each.kind]) for each in COLUMNS), (_WHOLE, pa.string())])


def parquet(to: Path, *, events: int = 50_000, size: int = 64 * 1024**2, seconds: float = 300) -> FileSink:
    """Make a sink of Parquet files; one is finished after so many events, bytes of JSON or seconds."""
    return FileSink(BatchFolder(to, _Parquet()), Limits(events, size, seconds))


class _Parquet:
    suffix = ".parquet"

    def place(self, day: str, source: str) -> str:
        """Name the folder as Hive, and so DuckDB, Spark and others, read partitions."""
        return f"day={day}/source={quote(source, safe='')}"

    def pack(self, events: Sequence[bytes]) -> bytes:
        table = pa.Table.from_pylist([_row(event) for event in events], _SCHEMA)
        out = pa.BufferOutputStream()
        pq.write_table(table, out, compression="zstd")
        return bytes(out.getvalue().to_pybytes())

    def unpack(self, content: bytes) -> list[bytes]:
        table = pq.read_table(pa.BufferReader(content), columns=[_WHOLE])
        return [text.encode() for text in table[_WHOLE].to_pylist()]


def _row(raw: bytes) -> dict[str, Any]:
    return values(raw) | {_WHOLE: raw.decode()}
