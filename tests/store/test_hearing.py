"""A command that is cancelled ends, whatever it was doing, and its connection gives nobody a wrong answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from collector.store import open_store

if TYPE_CHECKING:
    from collector.settings import Settings

_STEPS = 40  # of the loop: more than a command takes


async def test_a_cancellation_is_heard_at_every_step_of_a_command(settings: Settings) -> None:
    ended = []
    async with open_store(settings) as redis:
        for steps in range(_STEPS):
            task = asyncio.ensure_future(redis.echo(f"step {steps}"))
            for _ in range(steps):
                await asyncio.sleep(0)
            if task.cancel():
                await asyncio.wait([task])
                ended.append(task.cancelled())
            assert await redis.echo("next") == b"next"

    assert ended
    assert all(ended)
