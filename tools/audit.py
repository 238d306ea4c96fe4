"""``make audit``: look the pinned dependencies up among known weaknesses, ours and the tracker's.

A database that cannot be reached is one line and no failure: what was not looked up is said, not hidden.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_OSV = "https://api.osv.dev/v1/query"
_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Result:
    """What a look-up gave: the weaknesses, or None when nothing could be looked up."""

    tool: str
    packages: int = 0
    weaknesses: tuple[str, ...] | None = None

    def __str__(self) -> str:
        """Return the line that people read."""
        if self.weaknesses is None:
            return f"{self.tool}: skipped, its database of weaknesses cannot be reached."
        if not self.weaknesses:
            return f"{self.tool}: {self.packages} packages, no known weakness."
        found = "".join(f"\n  {each}" for each in self.weaknesses)
        return f"{self.tool}: {self.packages} packages, {len(self.weaknesses)} known weaknesses:{found}"


def audit_python(pins: Path, osv: str = _OSV) -> Result:
    """Look pinned Python packages up with pip-audit."""
    # fmt: off
    told = _run(
        str(Path(sys.executable).parent / "pip-audit"), "--requirement", str(pins), "--disable-pip",
        "--vulnerability-service", "osv", "--osv-url", osv, "--progress-spinner", "off", "--format", "json",
    )
    # fmt: on
    if told is None or "dependencies" not in told:
        return Result("pip-audit")
    rows = told["dependencies"]
    found = [f"{row['name']} {row['version']}: {each['id']}" for row in rows for each in row.get("vulns", ())]
    return Result("pip-audit", len(rows), tuple(found))


def audit_node(folder: Path) -> Result:
    """Look the tracker's development packages up with npm; nothing of them is served but what they build."""
    told = _run("npm", "audit", "--json", folder=folder)
    if told is None or "vulnerabilities" not in told:
        return Result("npm audit")
    found = [f"{name}: {row['severity']}" for name, row in told["vulnerabilities"].items()]
    return Result("npm audit", told["metadata"]["dependencies"]["total"], tuple(sorted(found)))


def _run(*command: str, folder: Path = ROOT) -> dict[str, Any] | None:
    """Return the JSON that a command prints, None when it prints none: both tools fail on what they find."""
    try:
        ran = subprocess.run(  # noqa: S603 - our own commands
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        told: dict[str, Any] = json.loads(ran.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    return told


def main() -> None:
    """Print a line for each tool; the exit status tells whether a weakness is known."""
    results = [audit_python(ROOT / "requirements" / "dev.txt"), audit_node(ROOT / "snippet")]
    for result in results:
        sys.stdout.write(f"{result}\n")
    sys.exit(any(result.weaknesses for result in results))


if __name__ == "__main__":
    main()
