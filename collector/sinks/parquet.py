"""Events as Parquet: columns that everybody asks for, properties as JSON, and the whole event beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import SecretStr  # noqa: TC002 - the option is converted to it

from collector.sinks import Limits
from collector.sinks.address import NO_SECRET
from collector.sinks.bucket import open_bucket
from collector.sinks.columns import COLUMNS, values
from collector.sinks.disk import Disk
from collector.sinks.folder import BatchFolder, FileSink
from collector.sinks.grown import grown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.sinks.folder import Store

_WHOLE = "message"
_TYPES = {"text": pa.string(), "time": pa.timestamp("ms", tz="UTC"), "bool": pa.bool_(), "json": pa.string()}
_SCHEMA = pa.schema([*((each.name, _TYPES[each.kind]) for each in COLUMNS), (_WHOLE, pa.string())])


def parquet(
    to: str,
    *,
    columns: bool = False,
    endpoint: str = "",
    region: str = "",
    access_key: str = "",
    secret_key: SecretStr = NO_SECRET,
    events: int = 50_000,
    size: int = 64 * 1024**2,
    seconds: float = 300,
) -> FileSink:
    """Make a sink of Parquet files in a folder, or in s3://BUCKET/FOLDER. Raises SinkError.

    ``columns`` gives each property a column of its own besides.
    """
    store: Store = Disk(Path(to))
    if "://" in to:
        store = open_bucket(to, endpoint, region, access_key, secret_key.get_secret_value())
    return FileSink(BatchFolder(store, _Parquet(columns)), Limits(events, size, seconds))


class _Parquet:
    suffix = ".parquet"

    def __init__(self, grow: bool) -> None:  # noqa: FBT001 - the only one
        self._grow = grow

    def place(self, day: str, source: str) -> str:
        """Name the folder as Hive, and so DuckDB, Spark and others, read partitions."""
        return f"day={day}/source={quote(source, safe='')}"

    def pack(self, events: Sequence[bytes]) -> bytes:
        rows = [_row(event) for event in events]
        table = pa.Table.from_pylist(rows, _SCHEMA)
        for name, column in grown([row["properties"] for row in rows]) if self._grow else ():
            table = table.append_column(name, column)
        out = pa.BufferOutputStream()
        pq.write_table(table, out, compression="zstd")
        return bytes(out.getvalue().to_pybytes())

    def unpack(self, content: bytes) -> list[bytes]:
        table = pq.read_table(pa.BufferReader(content), columns=[_WHOLE])
        return [text.encode() for text in table[_WHOLE].to_pylist()]


def _row(raw: bytes) -> dict[str, Any]:
    return values(raw) | {_WHOLE: raw.decode()}
