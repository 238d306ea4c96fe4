"""SECURITY.md names tests that exist; what is shipped for running it is as hard as it says."""

from __future__ import annotations

import re
import shutil
import subprocess
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


def test_the_systemd_unit_is_rated_well(tmp_path: Path) -> None:
    unit = (ROOT / "deploy" / "headwater.service").read_text(encoding="utf-8")
    (tmp_path / "headwater.service").write_text(unit.replace("/opt/headwater/bin/headwater", "/bin/true"))
    analyze = shutil.which("systemd-analyze")
    if analyze:  # not on every machine; the options below are checked everywhere
        command = [
            analyze,
            "security",
            "--offline=true",
            "--threshold=30",
            str(tmp_path / "headwater.service"),
        ]
        seen = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
        assert seen.returncode == 0, seen.stdout + seen.stderr

    for option in (
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "DynamicUser=yes",
        "CapabilityBoundingSet=\n",
    ):
        assert option in unit


def test_the_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1] not in {
        "0",
        "root",
    }
