"""Background tasks end truly: all of them, and after what they do to leave."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from collector.tasks import end, end_all

if TYPE_CHECKING:
    import pytest


async def test_what_a_task_does_to_leave_is_not_cut_short() -> None:
    left = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.3)  # as leaving a broker does
            left.append("broker")

    tasks = [asyncio.create_task(work()) for _ in range(3)]
    await asyncio.sleep(0)
    await end_all(tasks)

    assert left == ["broker"] * 3


async def test_a_task_that_has_not_heard_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.tasks._ASK_AGAIN_SECONDS", 0.1)
    heard = 0

    async def work() -> None:
        nonlocal heard
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                heard += 1
                if heard == 2:
                    raise

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await end(task)

    assert heard == 2
