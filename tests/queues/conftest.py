"""Each broker that can be read from, and a collector that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.queues.brokers import BROKERS, Broker, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(params=list(BROKERS))
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    """A broker of this test's own, of each kind in turn."""
    async with started(request.param, tmp_path) as made:
        yield made
