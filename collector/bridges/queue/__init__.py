"""The queue bridge: a reader for each enabled source, begun, changed and ended as the catalogue says."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collector import metrics
from collector.bridges.queue.reader import Reader
from collector.tasks import end

if TYPE_CHECKING:
    from collector.model import Source
    from collector.pipeline import Pipeline
    from collector.store.queues import QueueStates

_LOOK_SECONDS = 0.25
_SAY_SECONDS = 1.0


@dataclass(slots=True)
class QueueBridge:
    """The readers of this process; others share the work by the brokers' own groups."""

    pipeline: Pipeline
    states: QueueStates
    readers: dict[str, tuple[Reader, asyncio.Task[None]]] = field(default_factory=dict)
    said: float = 0.0

    async def run(self) -> None:
        """Follow the catalogue until cancelled, and say how the readers are."""
        try:
            while True:
                await self._follow()
                if time.monotonic() - self.said >= _SAY_SECONDS:
                    await self._say()
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            await asyncio.gather(*(self._end(name) for name in list(self.readers)))
            await self.states.leave()

    async def _follow(self) -> None:
        wanted = {
            each.id: each
            for each in self.pipeline.catalogue.of_bridge("queue")
            if each.enabled and await self._may_read(each)
        }
        for name, (reader, _) in list(self.readers.items()):
            if wanted.get(name) != reader.source:
                await self._end(name)
        for name, source in wanted.items():
            if name not in self.readers:
                self._begin(source)

    async def _may_read(self, source: Source) -> bool:
        """Tell whether this worker reads a source: of those that one reads alone, whose turn it is."""
        if not source.settings.alone:
            return True
        return await self.states.turn(source.id, mine=source.id in self.readers)

    def _begin(self, source: Source) -> None:
        reader = Reader(
            source, self.pipeline, self.states, f"{socket.gethostname()}-{os.getpid()}-{source.id}"
        )
        self.readers[source.id] = (reader, asyncio.create_task(reader.run()))

    async def _end(self, name: str) -> None:
        reader, task = self.readers.pop(name)
        await end(task)
        if reader.source.settings.alone:
            await self.states.pass_turn(name)
        metrics.QUEUE_CONNECTED.labels(name).set(0)

    async def _say(self) -> None:
        self.said = time.monotonic()
        await self.states.say(
            [
                {
                    "source": name,
                    "place": reader.source.settings.place,
                    "state": reader.state,
                    "text": reader.text,
                    "since": reader.since,
                }
                for name, (reader, _) in self.readers.items()
            ]
        )
