"""Background tasks: begun with a context, and truly ended with it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable

_ASK_AGAIN_SECONDS = 3.0  # longer than leaving a broker takes: to ask again would cut that short
_MINUTE_SECONDS = 60


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run work in the background for as long as the context lasts."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await end(task)


async def every_minute(*work: Callable[[], object]) -> None:
    """Do all of the work, in its order, once a minute until cancelled."""
    while True:
        await asyncio.sleep(_MINUTE_SECONDS)
        for each in work:
            each()


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it has ended.

    It is asked again until it does: libraries swallow a cancellation that meets the end of a wait.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_ASK_AGAIN_SECONDS)


async def end_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, all at once, and wait until each has ended."""
    await asyncio.gather(*(end(task) for task in list(tasks)))
