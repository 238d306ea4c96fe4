"""What keeps the stream: Redis, or Kafka if the setting ``stream`` says so. This is all the rest sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from collector.store import StoreError
from collector.stream.append import Appender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.settings import Settings
    from collector.store import Names, Redis
    from collector.stream.append import Mark, Receipt, Record


class Appends(Protocol):
    """The end of one partition. Order is kept; each id is once, as far as the engine promises it."""

    partition: int

    async def append(self, records: Sequence[Record], *marks: Mark) -> list[Receipt]:
        """Append records; return what became of each once all are safe. Without any, see whether it would.

        Raises redis.exceptions.RedisError, OSError; ResponseError when it takes these records in no way; and
        Appended when it knows one of the marks.
        """


class Engine(Protocol):
    """An engine: partitions by their numbers."""

    def appender(self, partition: int) -> Appends:
        """Return the end of a partition."""

    async def stop(self) -> None:
        """Let what is on its way arrive, and close."""


@dataclass(frozen=True, slots=True)
class RedisEngine:
    """Streams of Redis, an append a group."""

    redis: Redis
    names: Names
    replicas: int

    def appender(self, partition: int) -> Appends:
        """Return the end of a partition."""
        return Appender(self.redis, self.names, partition, replicas=self.replicas)

    async def stop(self) -> None:
        """Leave Redis open: it is others' too."""


def open_engine(redis: Redis, names: Names, settings: Settings) -> Engine:
    """Return the engine of the settings. Raises StoreError when Kafka's library is missing."""
    if not settings.stream:
        return RedisEngine(redis, names, settings.ack_replicas if settings.ack == "replica" else 0)
    try:
        from collector.stream.kafka import KafkaEngine  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise StoreError("This installation has no kafka: pip install 'headwater[kafka]'.") from None
    return KafkaEngine(redis, names, settings.stream)
