"""SECURITY.md names tests that exist; what is shipped for running it is as hard as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector import checkup
from collector.checkup import PartError, require_parser

ROOT = Path(__file__).parents[2]
THREATS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "name"), THREATS)
def test_each_defence_names_a_test_that_exists(file: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_row_of_the_threat_table_has_its_test() -> None:
    rows = [line for line in (ROOT / "SECURITY.md").read_text().splitlines() if line.startswith("| ")]

    assert len(rows) - 2 == len(THREATS)


def test_an_http_parser_that_is_too_old_or_slow_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    require_parser()
    monkeypatch.setattr(checkup, "version", lambda _: "3.14.4")
    with pytest.raises(PartError, match=r"aiohttp 3\.14\.4 is too old"):
        require_parser()
    monkeypatch.undo()
    monkeypatch.delattr("aiohttp.http_parser.HttpRequestParserC")
    with pytest.raises(PartError, match="C parser"):
        require_parser()


def test_the_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1] not in {
        "0",
        "root",
    }
