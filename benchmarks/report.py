"""What is shown of the figures: a table for the terminal, and the same in docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from rich import box
from rich.table import Table

from collector import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.measure import Figures

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
HISTORY = Path(__file__).parent / "history.jsonl"
BEGIN, END = "<!-- made by make bench: begin -->", "<!-- made by make bench: end -->"
BEGIN_PYTHONS, END_PYTHONS = (each.replace("bench", "bench, by Python") for each in (BEGIN, END))

_HEADINGS = (
    "events a hit",
    "contender",
    "own µs",
    "server µs",
    "ratio own",
    "ratio both",
    "events a second",
    "p50 ms",
    "p99 ms",
    "memory MiB",
)
_KEPT = 6  # columns that the history keeps


def table(figures: Sequence[Figures]) -> Table:
    """Return the table for a terminal."""
    shown = Table(title="CPU per acknowledged event", box=box.SIMPLE, padding=(0, 1, 0, 0))
    for heading in _HEADINGS:
        shown.add_column(heading.replace(" ", "\n"), justify="left" if heading == "contender" else "right")
    for row in _rows(figures):
        shown.add_row(*row)
    return shown


def put(name: str, headings: Sequence[str], rows: Sequence[Sequence[str]], *, page: str = PAGE.name) -> None:
    """Print a table, and put it with date and machine between the markers of ``python -m NAME``."""
    lines = _lines(headings, rows)
    command, file = f"python -m {name.partition(' ')[0]}", PAGE.parent / page
    made = "\n".join([_facts(command, f"load average {os.getloadavg()[0]:.1f}"), "", *lines])
    print(made)
    begin, end = f"<!-- made by python -m {name}: begin -->", f"<!-- made by python -m {name}: end -->"
    before, rest = file.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    file.write_text(f"{before}{begin}\n{made}\n{end}{after}", encoding="utf-8")


def write_page(figures: Sequence[Figures], server: str, busy: float) -> None:
    """Put the figures, with date, machine and its load before the run, between the markers of the page."""
    facts = _facts("make bench", f"{server}; load average {busy:.1f} before the run")
    _write(BEGIN, END, "\n".join([facts, "", *_lines(_HEADINGS, _rows(figures))]))


def write_interpreters() -> None:
    """Put the latest run of each Python in the history beside each other."""
    latest = {run["python"]: run for run in map(orjson.loads, HISTORY.read_bytes().splitlines())}
    rows = [
        (python, run["date"], str(run["load"]), *row)
        for python, run in sorted(latest.items())
        for row in run["rows"]
    ]
    headings = ("Python", "measured on", "load average", *_HEADINGS[:_KEPT])
    _write(BEGIN_PYTHONS, END_PYTHONS, "\n".join(_lines(headings, rows)))


def remember(figures: Sequence[Figures], server: str, busy: float) -> None:
    """Add the figures to the history, a line a run, so that a regression shows."""
    told = {
        "date": datetime.now(UTC).date().isoformat(),
        "version": __version__,
        "python": platform.python_version(),
        "processor": _processor(),
        "server": server,
        "load": round(busy, 1),
        "rows": [row[:_KEPT] for row in _rows(figures)],
    }
    with HISTORY.open("ab") as history:
        history.write(orjson.dumps(told) + b"\n")


def _write(begin: str, end: str, made: str) -> None:
    before, rest = PAGE.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    PAGE.write_text(f"{before}{begin}\n{made}\n{end}{after}", encoding="utf-8")


def _lines(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (headings, ("---",) * len(headings), *rows)]


def _rows(figures: Sequence[Figures]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each; the yardstick comes last of its batch size, and the ratio is to it."""
    yardsticks = {row.events_a_hit: row for row in figures}
    for row in figures:
        yard = yardsticks[row.events_a_hit]
        both, yard_both = row.own_cpu + row.server_cpu, yard.own_cpu + yard.server_cpu
        yield (
            str(row.events_a_hit),
            row.contender,
            f"{row.own_cpu:.1f}",
            f"{row.server_cpu:.1f}",
            f"{row.own_cpu / yard.own_cpu:.2f}",
            f"{both / yard_both:.2f}",
            f"{row.events_a_second:,.0f}",
            f"{row.p50_ms:.1f}",
            f"{row.p99_ms:.1f}",
            f"{row.memory_mib:.0f}",
        )


def _facts(command: str, more: str) -> str:
    date = datetime.now(UTC).date().isoformat()
    machine = f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    software = f"headwater {__version__}, Python {platform.python_version()}"
    return f"Measured on {date} with `{command}` on {machine}; {software}; {more}."


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"
