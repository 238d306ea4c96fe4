"""Events as Parquet: columns that everybody asks for, properties as JSON, and the whole event beside them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path  # noqa: TC003 - the option is converted to it
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from collector.sinks import Limits
from collector.sinks.folder import BatchFolder, FileSink

if TYPE_CHECKING:
    from collections.abc import Sequence

_WHOLE = "message"
_TEXTS = {
    "message_id": "messageId",
    "type": "type",
    "event": "event",
    "channel": "source.channel",
    "anonymous_id": "anonymousId",
    "user_id": "userId",
    "session_id": "sessionId",
    "page_url": "context.page.url",
    "page_path": "context.page.path",
    "page_title": "context.page.title",
    "page_referrer": "context.page.referrer",
    "referrer_medium": "context.referrer.medium",
    "referrer_source": "context.referrer.source",
    "campaign_source": "context.campaign.source",
    "campaign_medium": "context.campaign.medium",
    "campaign_name": "context.campaign.name",
    "browser": "context.browser.name",
    "os": "context.os.name",
    "device_type": "context.device.type",
    "country": "context.location.country",
}
_TIMES = {"timestamp": "timestamp", "received_at": "receivedAt"}
_OBJECTS = {"properties": "properties", "traits": "traits"}
_SCHEMA = pa.schema(
    [
        *((name, pa.timestamp("ms", tz="UTC")) for name in _TIMES),
        *((name, pa.string()) for name in _TEXTS),
        ("bot", pa.bool_()),
        *((name, pa.string()) for name in (*_OBJECTS, _WHOLE)),
    ]
)


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
    """Return the columns of an event; what has another type than its column is in ``message`` alone."""
    event = orjson.loads(raw)
    row: dict[str, Any] = {name: _text(_at(event, path)) for name, path in _TEXTS.items()}
    row |= {name: _time(_at(event, path)) for name, path in _TIMES.items()}
    row |= {name: _json(_at(event, path)) for name, path in _OBJECTS.items()}
    return {**row, "bot": _at(event, "context.bot.is") is True, _WHOLE: raw.decode()}


def _at(event: Any, path: str) -> Any:
    for key in path.split("."):
        event = event.get(key) if isinstance(event, dict) else None
    return event


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _time(value: Any) -> datetime | None:
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return when if when.tzinfo else None


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
