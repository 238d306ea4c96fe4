"""Group commit: what arrives while an append is under way, or within a few milliseconds, goes together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from collector.metrics import APPEND_SECONDS, GROUP_EVENTS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from collector.stream.append import Receipt, Record

    Place = Callable[[Sequence[Record], float], Awaitable[list[Receipt]]]

Waiting: TypeAlias = "tuple[float, Sequence[Record], asyncio.Future[list[Receipt]]]"


class Committer:
    """Give records to ``place`` in groups, one at a time, so that order is kept."""

    def __init__(self, place: Place, *, most: int, wait_seconds: float) -> None:
        self._place = place
        self._most = most
        self._wait_seconds = wait_seconds
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    async def start(self) -> None:
        """Begin to commit."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Commit what waits, then end."""
        self._closing = True
        self._arrived.set()
        if self._task:
            await self._task

    def commit(self, records: Sequence[Record]) -> asyncio.Future[list[Receipt]]:
        """Return what will become of each record, once all are safe; or the error that ``place`` raises."""
        done: asyncio.Future[list[Receipt]] = asyncio.get_running_loop().create_future()
        self._waiting.append((time.monotonic(), records, done))
        self._arrived.set()
        return done

    async def _run(self) -> None:
        busy = False
        while await self._something_waits():
            if busy and self._wait_seconds and not self._closing:
                await asyncio.sleep(self._wait_seconds)
            group = self._take_group()
            busy = len(group) > 1  # a hit that comes alone is never held back
            await self._append(group)

    async def _something_waits(self) -> bool:
        while not self._waiting and not self._closing:
            self._arrived.clear()
            await self._arrived.wait()
        return bool(self._waiting)

    def _take_group(self) -> list[Waiting]:
        group: list[Waiting] = []
        size = 0
        while self._waiting and (not group or size + len(self._waiting[0][1]) <= self._most):
            group.append(self._waiting.popleft())
            size += len(group[-1][1])
        return group

    async def _append(self, group: list[Waiting]) -> None:
        together = [record for _, records, _ in group for record in records]
        waited_seconds = time.monotonic() - group[0][0]
        GROUP_EVENTS.observe(len(together))
        try:
            with APPEND_SECONDS.time():
                receipts = await self._place(together, waited_seconds)
        except Exception as error:  # noqa: BLE001 - every waiter must hear of it, whatever it is
            for _, _, done in group:
                if not done.done():
                    done.set_exception(error)
            return
        start = 0
        for _, records, done in group:
            if not done.done():  # its client may have gone
                done.set_result(receipts[start : start + len(records)])
            start += len(records)
