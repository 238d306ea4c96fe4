"""``python -m tests.hardening.figures``: run the collected attacks, and write down what was tried."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.report import put

HERE = Path(__file__).parent
SUITES = ("test_parsers.py", "test_requests.py", "test_public_schema.py", "test_fuzz.py")


def main() -> None:
    """Write the table; the exit status tells whether anything failed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        suites = [str(HERE / name) for name in SUITES]
        command = [sys.executable, "-m", "pytest", *suites, "-q", f"--junitxml={report}"]
        ran = subprocess.run(command, check=False)
        rows = _rows(ET.parse(report))  # noqa: S314 - our own file
    put("tests.hardening.figures", ("tool", "cases", "failures"), rows, page="security.md")
    sys.exit(ran.returncode)


def _rows(report: ET.ElementTree[ET.Element]) -> list[tuple[str, str, str]]:
    """Return tools with their cases and how many of their tests failed."""
    cases: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for case in report.iter("testcase"):
        told = {each.get("name"): each.get("value", "") for each in case.iter("property")}
        if tool := told.get("tool"):
            cases[tool] += int(told["cases"] or 0)
            failed[tool] += case.find("failure") is not None or case.find("error") is not None
    return [(tool, f"{number:,}", str(failed[tool])) for tool, number in cases.items()]


if __name__ == "__main__":
    main()
