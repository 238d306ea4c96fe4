"""The table of the faults: printed at the end, and written to the docs by the long form."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.faults.load import Verdict

LONG = os.environ.get("FAULTS") == "long"

_PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
_BEGIN, _END = "<!-- made by make faults: begin -->\n", "<!-- made by make faults: end -->"
_HEAD = "| fault | acknowledged | missing | duplicated | refused | recovery s | peak MiB |"
_ROWS: list[str] = []


@pytest.fixture
def seconds() -> float:
    """How long a fault lasts."""
    return 12 if LONG else 2


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server to torment."""
    server = Server(tmp_path / "redis").start()
    yield server
    server.close()


@pytest.fixture
def note() -> Callable[[str, Verdict], None]:
    """Put a verdict into the table."""

    def write(fault: str, verdict: Verdict) -> None:
        _ROWS.append(
            f"| {fault} | {verdict.acknowledged:,} | {verdict.missing} | {verdict.duplicated}"
            f" | {verdict.refused:,} | {verdict.recovery_seconds:.1f} | {verdict.peak_mib:.0f} |"
        )

    return write


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table; the long form writes it down."""
    if not _ROWS:
        return
    table = "\n".join([_HEAD, "| --- " * _HEAD.count(" | ") + "| --- |", *_ROWS])
    terminalreporter.write_line("\n" + table)
    if LONG:
        text = _PAGE.read_text(encoding="utf-8")
        before, _, rest = text.partition(_BEGIN)
        _, _, after = rest.partition(_END)
        date = datetime.now(UTC).date().isoformat()
        _PAGE.write_text(
            f"{before}{_BEGIN}Measured on {date} with `make faults`.\n\n{table}\n{_END}{after}",
            encoding="utf-8",
        )
