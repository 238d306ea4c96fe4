"""The comparison as people see it: two tables in docs/benchmarks.md, made of the results file alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.peers.scenarios import SCENARIOS

RESULTS = Path(__file__).parent / "results.json"
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- made by make peers: begin -->\n", "<!-- made by make peers: end -->"

_WEIGHTS = (
    "tracker",
    "version",
    "file",
    "raw",
    "gzip",
    "brotli",
    "requests (preflights) a view",
    "bytes a view",
    "start ms",
    "all ms",
    "longest task ms",
    "event ms",
    "close ms",
)


def write(results: dict[str, Any]) -> None:
    """Keep the results, and put their tables between the markers of the page."""
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(before + BEGIN + made(results) + END + after, encoding="utf-8")


def made(results: dict[str, Any]) -> str:
    """Return what stands between the markers."""
    rows = results["rows"]
    return (
        f"Measured on {results['date']} with `make peers` in Chromium {results['chromium']} on "
        f"{results['machine']}; load average {results['load']} before the run.\n\n"
        + _table(_WEIGHTS, [_weight(row) for row in rows])
        + "\n"
        + _table(
            ("tracker", *SCENARIOS), [(row["name"], *map(_cell, row["scenarios"].values())) for row in rows]
        )
    )


def _weight(row: dict[str, Any]) -> tuple[str, ...]:
    view, start = row["view"], row["start"]
    file = row["how"] if row["how"] in {"served", "bundled"} else f"`{row['how']}`"
    sizes = (f"{size:,}" for size in row["bytes"])
    requests = f"{view['requests']} ({view['preflights']})"
    return (
        row["name"],
        row["version"],
        file,
        *sizes,
        requests,
        f"{view['bytes']:,}",
        f"{start['start']:.1f}",
        f"{start['all']:.1f}",
        f"{start['longest']:.1f}" if "longest" in start else "",
        *(f"{row['use'][part]:.2f}" if "use" in row else "" for part in ("event", "close")),
    )


def _cell(result: dict[str, int]) -> str:
    """Return ``arrived/sent``, and what else there is to say."""
    said = f"{result['arrived']}/{result['sent']}"
    if result["at_once"] < result["arrived"]:
        said += f", {result['at_once'] or 'none'} at once"
    if result["doubled"]:
        said += f", {result['doubled']} doubled"
    if result["copies"]:
        said += f" (+{result['copies']})"
    return said


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
