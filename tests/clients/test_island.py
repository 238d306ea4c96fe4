"""The proof that clients reach no vendor can fail: who asks for anyone else is caught, and reaches nobody."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.clients.island import Island

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = "import urllib.request as r; r.urlopen('http://{}/', timeout=5)"
NODE = "require('node:http').get('http://{}/').on('error', () => process.exit(1))"
FETCH = "fetch('http://{}/').catch(() => process.exit(1))"
ATTEMPTS = {
    "python": (sys.executable, "-c", PYTHON),
    "node": ("node", "-e", NODE),
    "node's fetch": ("node", "-e", FETCH),
}


@pytest.mark.parametrize("target", ["vendor.invalid", "[2001:db8::1]", "192.0.2.1"])
@pytest.mark.parametrize("program", ATTEMPTS)
def test_who_asks_for_a_vendor_is_caught_and_reaches_nobody(place: Island, program: str, target: str) -> None:
    """The name is one that never is (RFC 2606), the addresses are of documentation (RFC 5737, RFC 3849)."""
    *command, code = ATTEMPTS[program]
    tried = (*place.enter, *command, code.format(target))

    done = subprocess.run(tried, env=place.environment, capture_output=True, timeout=30, check=False)

    assert done.returncode != 0
    assert place.asked == {target.strip("[]")}


def test_beside_the_test_clients_tell_themselves_whom_they_ask_for(tmp_path: Path) -> None:
    """So the proof holds where no namespace can be made."""
    beside = Island(tmp_path / "asked")

    for *command, code in ATTEMPTS.values():
        tried = (*command, code.format("vendor.invalid"))
        done = subprocess.run(tried, env=beside.environment, capture_output=True, timeout=30, check=False)
        assert done.returncode != 0
        assert beside.asked == {"vendor.invalid"}
        beside.log.unlink()
