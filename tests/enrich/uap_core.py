"""The test cases of uap-core, from the crate that carries them; they are fetched, not committed."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml

Cases: TypeAlias = list[dict[str, Any]]

_CARGO = """
[package]
name = "fixtures"
version = "0.0.0"
edition = "2021"
[lib]
path = "lib.rs"
[dependencies]
ua-parser = "=0.2.2"
"""


@cache
def uap_core() -> dict[str, Cases]:
    """Return the cases of uap-core's test files: ua, os and device."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "Cargo.toml").write_text(_CARGO)
        (folder / "lib.rs").touch()
        command = ["cargo", "vendor", "--quiet"]
        subprocess.run(command, cwd=folder, check=True, timeout=300, capture_output=True)
        tests = folder / "vendor" / "ua-parser" / "uap-core" / "tests"
        return {kind: _cases(tests / f"test_{kind}.yaml") for kind in ("ua", "os", "device")}


def _cases(file: Path) -> Cases:
    cases: Cases = yaml.load(file.read_text(), yaml.CSafeLoader)["test_cases"]
    return cases
