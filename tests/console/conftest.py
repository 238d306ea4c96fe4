"""Pages are looked at by someone who has signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Running


@pytest.fixture
async def running(running: Running) -> Running:
    """A running collector whose console client is signed in as an admin."""
    await running.sign_in()
    return running
