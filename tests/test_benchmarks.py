"""The benchmark's figures: shown only when they can be trusted, and put where the page wants them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from benchmarks import report
from benchmarks.contender import Contender
from benchmarks.load import Seen
from benchmarks.measure import Figures, LostError, require_all
from benchmarks.process import cpu_seconds, memory_bytes

if TYPE_CHECKING:
    from pathlib import Path

_ROWS = [
    Figures("headwater", 10, 50.0, 20.0, 9000.0, 10.0, 20.0, 95.0),
    Figures("nginx+Lua", 10, 25.0, 10.0, 20000.0, 5.0, 10.0, 17.0),
]


@pytest.mark.parametrize(
    ("hits", "failed", "stored"),
    [(10, 0, 99), (10, 0, 101), (10, 1, 100)],
    ids=["an event is missing", "an event is there twice", "a hit failed"],
)
def test_figures_are_refused_when(hits: int, failed: int, stored: int) -> None:
    contender = Contender("headwater", "", "", 0)

    with pytest.raises(LostError, match="No figures"):
        require_all(contender, Seen(hits, failed, 1.0, 2.0), 10, stored)


def test_the_page_gets_the_rows_between_its_markers_and_keeps_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(report, "PAGE", page)

    report.write_page(_ROWS, "Valkey 8.1", 0.5)
    text = page.read_text(encoding="utf-8")

    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| 10 | headwater | 50.0 | 20.0 | 2.00 | 2.00 | 9,000 | 10.0 | 20.0 | 95 |" in text


def test_the_page_shows_the_latest_run_of_each_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, history = tmp_path / "benchmarks.md", tmp_path / "history.jsonl"
    page.write_text(f"before\n{report.BEGIN_PYTHONS}\nold\n{report.END_PYTHONS}\nafter\n", encoding="utf-8")
    history.write_text('{"python":"3.11.9","date":"2026-01-01","load":1.0,"rows":[["1","old"]]}\n')
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "HISTORY", history)
    for python in ("3.11.9", "3.13.1"):
        monkeypatch.setattr(report.platform, "python_version", lambda python=python: python)
        report.remember(_ROWS, "Valkey 8.1", 0.5)

    report.write_interpreters()
    lines = page.read_text(encoding="utf-8").splitlines()

    assert "old" not in "".join(lines)
    assert [line.split(" | ")[0] for line in lines if "headwater" in line] == ["| 3.11.9", "| 3.13.1"]


def test_the_cost_of_a_process_is_read_from_proc() -> None:
    pid = os.getpid()

    assert cpu_seconds(pid) >= 0
    assert memory_bytes(pid) > 0
