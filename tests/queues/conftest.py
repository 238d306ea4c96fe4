"""Each broker that can be read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.queues.brokers import BROKERS, Broker, RabbitMQ, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """One RabbitMQ for all tests: it takes seconds to start."""
    made = RabbitMQ(tmp_path_factory.mktemp("rabbit"))
    yield made
    made.kill()


@pytest.fixture(params=[*BROKERS, "rabbitmq"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    """A broker of each kind in turn, with nothing in it."""
    if request.param == "rabbitmq":
        shared: RabbitMQ = request.getfixturevalue("rabbit")
        await shared.start()
        await shared.empty()
        yield shared
        return
    async with started(request.param, tmp_path) as made:
        yield made
