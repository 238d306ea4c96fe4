"""The npm packages of the clients under test, installed once as their lock file says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.browser.conftest import browser, page

__all__ = ["browser", "packages", "page"]  # fixtures

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of the clients, with their packages installed."""
    lock = HERE / "package-lock.json"
    installed = HERE / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        # Not `npm ci`: it asks for optional packages of other systems, which not every registry has.
        subprocess.run(
            ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=HERE,
            check=True,
        )
    return HERE
