"""Connections that hear at once when their task is to end.

redis-py writes by ``asyncio.wait_for``, which before Python 3.12 swallows a cancellation that meets
the end of its work.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from redis.asyncio.connection import AbstractConnection

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool


class _Hearing(AbstractConnection):
    """What goes in front of a connection class."""

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's
        task: Any = asyncio.current_task()
        asked = task.cancelling()
        await super().send_packed_command(command, check_health)
        if task.cancelling() > asked:
            await self.disconnect(nowait=True)  # nobody is left to read the answer
            raise asyncio.CancelledError


def hear(pool: ConnectionPool) -> None:
    """Let the connections that the pool will open hear every cancellation."""
    plain = pool.connection_class
    pool.connection_class = type(f"Hearing{plain.__name__}", (_Hearing, plain), {})
