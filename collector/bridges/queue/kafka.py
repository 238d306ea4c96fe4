"""Topics of Kafka, read in a consumer group: what is committed is what is safe, partition by partition."""

from __future__ import annotations

import asyncio
import contextlib
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from collector.bridges.queue.broker import (
    CONNECT_SECONDS,
    FETCH_SECONDS,
    BrokerError,
    Message,
    short,
    tls_context,
)
from collector.store.kafka import KafkaError, KafkaPlace, stop_consumer
from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiokafka import ConsumerRecord

    from collector.sources.queue import QueueSettings

_FIRST = {"oldest": "earliest", "newest": "latest"}
_LOOK_MS = 10_000  # how soon a new topic of a pattern, or a new partition, is found
_DAY_MS = 24 * 3600 * 1000


class KafkaTopics(ConsumerRebalanceListener):  # type: ignore[misc]  # the library gives no types
    """A topic, which must exist, or all that a pattern fits. The group spreads the partitions."""

    def __init__(self, settings: QueueSettings, worker: str) -> None:
        self._settings = settings
        self._worker = worker
        self._consumer: Any = None
        self._nothing_held = asyncio.Event()
        self._nothing_held.set()

    async def connect(self) -> None:
        """Connect, see that there is something to read, and join the group."""
        with _explained():
            place = _place(self._settings)
            self._consumer = AIOKafkaConsumer(**place.options, **_options(self._settings, self._worker))
            await place.start(self._consumer)
            name = self._settings.topic
            if "*" in name:
                self._consumer.subscribe(pattern=_pattern(name), listener=self)
                return
            if name not in await self._consumer.topics():
                raise BrokerError(f"Kafka has no topic {name}, or does not show it to us.")
            self._consumer.subscribe([name], listener=self)

    async def fetch(self) -> list[Message]:
        """Return what has come, each partition's in its order."""
        with _explained():
            found = await self._consumer.getmany(
                timeout_ms=int(FETCH_SECONDS * 1000), max_records=self._settings.prefetch
            )
            if not found:
                await self._consumer.topics()  # else the library waits in silence for a broker that is gone
                return []
        self._nothing_held.clear()
        return [_message(each) for records in found.values() for each in records]

    async def done(self, messages: Sequence[Message]) -> None:
        """Commit up to the last message of each partition.

        A partition that another worker has now is left to it: what it reads again has the same ids.
        """
        ends: dict[TopicPartition, int] = {
            TopicPartition(each.token.topic, each.token.partition): each.token.offset + 1 for each in messages
        }
        try:
            with _explained(), contextlib.suppress(CommitFailedError, IllegalStateError):
                held = self._consumer.assignment()
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._consumer.commit({part: end for part, end in ends.items() if part in held})
        finally:
            self._nothing_held.set()

    async def close(self) -> None:
        """Leave the group; what was not committed is read again."""
        self._nothing_held.set()
        if self._consumer:
            await stop_consumer(self._consumer)

    async def on_partitions_revoked(self, _revoked: Sequence[TopicPartition]) -> None:
        """Let what is at work be finished and committed before others get the partitions, within bounds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._nothing_held.wait(), self._settings.takeover_seconds / 2)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Go on from what is committed: the library does."""


def _options(settings: QueueSettings, worker: str) -> dict[str, Any]:
    session_ms = settings.takeover_seconds * 1000
    return {
        "client_id": worker,
        "group_id": settings.group,
        "auto_offset_reset": _FIRST[settings.start],
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "session_timeout_ms": session_ms,
        "heartbeat_interval_ms": session_ms // 5,
        "max_poll_interval_ms": _DAY_MS,  # who waits for Redis keeps its partitions: its heart beats
        "metadata_max_age_ms": _LOOK_MS,
    }


def _place(settings: QueueSettings) -> KafkaPlace:
    hosts = settings.url.partition("://")[2].rstrip("/").split(",")
    password = settings.password.get_secret_value()
    return KafkaPlace(tuple(hosts), settings.user, password, settings.sasl, tls_context(settings))


def _pattern(topic: str) -> str:
    return ".*".join(map(re.escape, topic.split("*"))) + "$"


def _message(found: ConsumerRecord[bytes, bytes]) -> Message:
    # A topic that is made anew counts from nought again: the time tells its messages from the old ones.
    place = f"{found.topic}-{found.partition}-{found.offset}-{found.timestamp}"
    headers = {name: (value or b"").decode(errors="replace") for name, value in found.headers}
    if found.key is not None:
        headers["Kafka-Key"] = found.key.decode(errors="replace")
    return Message(found.value or b"", found.topic, short(place), found, headers)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (CommitFailedError, IllegalStateError):
        raise
    except (KafkaError, OSError, TimeoutError, ValueError) as error:
        raise BrokerError(why(error)) from None
