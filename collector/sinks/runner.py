"""From a consumer group into a sink: waits while the target is away, sets aside what it never takes.

A batch is acknowledged once the sink has it. Since writing it again changes nothing, each event is in the
target once, whatever dies in between.
"""

from __future__ import annotations

import random
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from collector.sinks import Away, Closable, Rejected, SinkError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence

    from collector.sinks import Delivery, Limits, Sink
    from collector.stream.consumer import Consumer

log = structlog.get_logger()

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 60


@dataclass(slots=True)
class Done:
    """What became of the events so far; ``withheld`` are those without the consent that the sink requires."""

    written: int = 0
    withheld: int = 0
    dead: int = 0

    @property
    def events(self) -> int:
        """All of them."""
        return self.written + self.withheld + self.dead


class _StoppedError(Exception):
    """The batch at hand was not written; it is delivered again to whoever comes next."""


class Runner:
    """Brings what a consumer reads into a sink.

    ``consent`` are the categories that must all be granted in ``context.consent`` of an event; tombstones
    pass always.
    """

    def __init__(self, consumer: Consumer, sink: Sink, *, consent: Collection[str] = ()) -> None:
        self._consumer = consumer
        self._sink = sink
        self._consent = consent
        self.done = Done()

    async def run(self, told: Callable[[Done], Awaitable[None]]) -> None:
        """Go on until the consumer is stopped; ``told`` hears of every batch once it is written.

        Raises SinkError when the sink could not begin.
        """
        async with AsyncExitStack() as stack:
            if isinstance(self._sink, Closable):
                stack.push_async_callback(self._sink.close)
            try:
                await self._sink.healthy()
            except (Away, OSError) as error:
                log.warning("sink_waits", why=str(error))
            batches = await stack.enter_async_context(aclosing(aiter(self._consumer)))
            with suppress(_StoppedError):
                async for batch in batches:
                    await self._bring(batch)
                    await told(self.done)

    async def _bring(self, batch: Sequence[Delivery]) -> None:
        allowed = [each for each in batch if self._allows(each)]
        self.done.withheld += len(batch) - len(allowed)
        for piece in _pieces(allowed, self._sink.limits):
            await self._put(piece)

    def _allows(self, delivery: Delivery) -> bool:
        if not self._consent or delivery.type == "forget":
            return True
        granted = _consent_of(delivery.event)
        return all(granted.get(each) is True or granted.get(each) == "granted" for each in self._consent)

    async def _put(self, batch: Sequence[Delivery]) -> None:
        """Write a batch; of one that is rejected each half, down to the event that is the reason."""
        try:
            await self._write(batch)
        except Rejected as error:
            if len(batch) == 1:
                await self._consumer.bury(batch[0], str(error))
                self.done.dead += 1
                return
            middle = len(batch) // 2
            await self._put(batch[:middle])
            await self._put(batch[middle:])
        else:
            self.done.written += len(batch)

    async def _write(self, batch: Sequence[Delivery]) -> None:
        """Write a batch, again and again while the target is away; nothing else is sent meanwhile."""
        wait = _FIRST_WAIT_SECONDS
        while True:
            try:
                await self._sink.healthy()
                await self._sink.write(batch)
            except (Away, SinkError, OSError) as error:
                if isinstance(error, SinkError) and not self.done.written:
                    raise
                log.warning("sink_waits", why=str(error))
                least = error.seconds if isinstance(error, Away) else 0
                seconds = max(least, wait * random.uniform(0.5, 1))  # noqa: S311 - spreads, guards nothing
                if await self._consumer.rest(seconds):
                    raise _StoppedError from None
                wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
            else:
                return


def _consent_of(event: bytes) -> dict[str, Any]:
    """Return the categories in an event; none of what is no event, since not only collectors can append."""
    value: Any = event
    with suppress(orjson.JSONDecodeError):
        value = orjson.loads(event)
    for key in ("context", "consent"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _pieces(batch: Sequence[Delivery], limits: Limits) -> Iterator[Sequence[Delivery]]:
    """Cut a batch so that no piece exceeds the limits, but for a single event that does."""
    start = size = 0
    for place, each in enumerate(batch):
        size += len(each.event)
        if place > start and (place - start >= limits.events or size > limits.size):
            yield batch[start:place]
            start, size = place, len(each.event)
    if start < len(batch):
        yield batch[start:]
