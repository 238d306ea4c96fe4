"""The built wheel holds all that the collector serves, and works from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel in it, beside nothing of the checkout; dependencies are this environment's."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    wheel = next(folder.glob("*.whl"))
    target = folder / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(target),
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    return target


def headwater(installed: Path, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(installed),
        "HEADWATER_DATA": str(tmp_path / "data"),
    }
    command = [sys.executable, "-m", "collector", *arguments]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, cwd=tmp_path, env=environment
    )


def test_the_wheel_serves_a_tracker_from_any_folder(installed: Path, tmp_path: Path) -> None:
    origin = "import collector; print(collector.__file__)"
    where = subprocess.run(
        [sys.executable, "-c", origin],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed)},
    )
    assert where.stdout.startswith(str(installed))

    added = headwater(installed, tmp_path, "source", "add", "--name", "Shop", "--id", "shop")
    assert (added.returncode, added.stdout.strip()) == (0, "shop"), added.stderr

    got = headwater(installed, tmp_path, "get", "/s/shop.js")
    assert got.returncode == 0, got.stderr
    assert "HTTP 200" in got.stderr
    assert "sendBeacon" in got.stdout


def test_the_wheel_carries_templates_static_files_and_the_built_tracker(installed: Path) -> None:
    package = installed / "collector"

    for name in (
        "templates/tracker.js.j2",
        "static/demo.css",
        "snippet/dist/tracker.json",
        "docs/first-party/nginx.conf",
        "static/console.css",
        "stream/append.lua",
    ):
        assert (package / name).is_file()
