"""Archives cut into units: any chunks give the same units, and what is broken is told of with its place."""

from __future__ import annotations

import pytest

from collector.archives.units import CUTS, Unit

LIMIT = 200


def cut(kind: str, text: bytes, size: int) -> list[Unit]:
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    return list(CUTS[kind](iter(chunks), LIMIT))


CASES = [
    ("lines", b"a\n\nb\r\nc", [(1, b"a"), (3, b"b"), (4, b"c")]),
    ("lines", b"a\n" + b"x" * 500 + b"\nc\n", [(1, b"a"), (2, "too_large"), (3, b"c")]),
    ("values", b'{"a":1}\n\n{"b":2}', [(1, b'{"a":1}'), (3, b'{"b":2}')]),
    ("values", b' \n[{"a": "]"},\n {"b": 2}, 34]\n', [(1, b'{"a": "]"}'), (2, b'{"b": 2}'), (3, b"34")]),
    ("values", b"[]", []),
    ("values", b'\xef\xbb\xbf["\xc3\xa4"]', [(1, b'"\xc3\xa4"')]),
    ("values", b'[{"a":1}, {"b"', [(1, b'{"a":1}'), (2, "not_json")]),
    ("values", b'[1, "' + b"x" * 500 + b'"]', [(1, b"1"), (2, "too_large")]),
    (
        "rows",
        b'2Path,Title\n/a,"b\nc"\n\n/d,e\n',
        [(3, {"2Path": "/a", "Title": "b\nc"}), (5, {"2Path": "/d", "Title": "e"})],
    ),
    ("rows", b"Path\n" + b"x" * 500 + b"\n/d\n", [(2, "too_large"), (3, {"Path": "/d"})]),
    ("rows", b"Path\n" + b'"' + b"x\n" * 500, [(102, "too_large")]),
    ("rows", b'Path\n/a\n"' + b'","\n' * 100 + b'"\n/d\n', [(2, {"Path": "/a"}), (53, "too_large")]),
    ("rows", b"a\rb,c\n1,2\n", [(1, "bad_line")]),
    ("rows", b"", []),
]


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize(("kind", "text", "expected"), CASES)
def test_units_are_the_same_however_the_archive_is_read(
    kind: str, text: bytes, expected: list[object], size: int
) -> None:
    units = cut(kind, text, size)

    assert [
        (unit.number, unit.refusal.reason.code if unit.refusal else unit.raw) for unit in units
    ] == expected
