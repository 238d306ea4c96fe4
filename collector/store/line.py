"""A connection to Redis that one user keeps: commands go straight to it, without a client's ceremony.

For every command a client takes a connection from its pool, looks whether it is well, and counts; that costs
more than packing a group of events and reading its answer. It knows nothing of what is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError, ResponseError

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

    from collector.store import Redis


class Line:
    """Run commands one at a time; more at a time take further connections. A cluster's client does it all."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._kept: AbstractConnection | None = None
        self._patience: float | None = None  # of the pool's connections, in seconds

    async def call(self, *command: Any) -> Any:
        """Return the answer, however late: the caller sets a limit; one of a connection costs a task.

        Raises redis.exceptions.RedisError, OSError; then the connection is given up.
        """
        if isinstance(self._redis, RedisCluster):
            return await self._redis.execute_command(*command)
        connection = await self._take()
        try:
            await connection.send_command(*command, check_health=False)
            answer = await connection.read_response()
        except ResponseError:  # an answer, too
            await self._keep(connection)
            raise
        except (
            BaseException
        ):  # also a time-out: an answer may still come, and would be taken for the next one's
            await self._give_up(connection)
            raise
        await self._keep(connection)
        return answer

    async def _take(self) -> AbstractConnection:
        connection, self._kept = self._kept, None
        if connection is not None:
            if await _is_well(connection):
                return connection
            await self._give_up(connection)
        pool: Any = self._redis.connection_pool
        connection = cast("AbstractConnection", await pool.get_connection())
        self._patience, connection.socket_timeout = connection.socket_timeout, None
        return connection

    async def _keep(self, connection: AbstractConnection) -> None:
        if self._kept is None:
            self._kept = connection
        else:
            await self._give_back(connection)

    async def _give_up(self, connection: AbstractConnection) -> None:
        await connection.disconnect(nowait=True)
        await self._give_back(connection)

    async def _give_back(self, connection: AbstractConnection) -> None:
        connection.socket_timeout = self._patience
        await self._redis.connection_pool.release(connection)


async def _is_well(connection: AbstractConnection) -> bool:
    """Tell whether a connection is open and nothing unasked for has come, such as the news of its end."""
    try:
        return connection.is_connected and not await connection.can_read()
    except (OSError, RedisError):
        return False
