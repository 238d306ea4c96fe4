"""Each broker that can be read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.queues.brokers import BROKERS, Broker, RabbitMQ, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.queues.kafka_broker import Kafka


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """One RabbitMQ for all tests: it takes seconds to start."""
    made = RabbitMQ(tmp_path_factory.mktemp("rabbit"))
    yield made
    made.kill()


@pytest.fixture(params=[*BROKERS, "rabbitmq", "kafka"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    """A broker of each kind in turn, with nothing in it."""
    if request.param in {"rabbitmq", "kafka"}:
        shared: RabbitMQ | Kafka = request.getfixturevalue(
            {"rabbitmq": "rabbit", "kafka": "kafka"}[request.param]
        )
        await shared.start()
        await shared.empty()
        yield shared
        return
    async with started(request.param, tmp_path) as made:
        yield made
