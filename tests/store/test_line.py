"""A kept connection: found dead before it is used, and never one answer taken for another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from collector.store.line import Line

if TYPE_CHECKING:
    from pathlib import Path


async def own_id(line: Line) -> int:
    return int(await line.call("CLIENT", "ID"))


async def test_one_connection_is_kept_also_after_an_error_that_is_an_answer(redis: Redis) -> None:
    line = Line(redis)
    first = await own_id(line)

    with pytest.raises(ResponseError):
        await line.call("NO-SUCH-COMMAND")

    assert await own_id(line) == first


async def test_a_connection_that_the_server_has_closed_is_replaced_unnoticed(redis: Redis) -> None:
    line = Line(redis)
    first = await own_id(line)
    await redis.client_kill_filter(_id=str(first))
    await asyncio.sleep(0.05)  # for the news to arrive

    assert await own_id(line) != first


async def test_an_answer_that_came_too_late_is_nobodys(redis: Redis) -> None:
    line = Line(redis)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await line.call("BLPOP", "nothing-here", "0.2")

    assert await line.call("ECHO", "mine") == b"mine"


async def test_two_at_a_time_get_their_own_answers(redis: Redis) -> None:
    line = Line(redis)
    answers = await asyncio.gather(*(line.call("ECHO", str(number)) for number in range(20)))

    assert answers == [str(number).encode() for number in range(20)]


async def test_a_connection_that_is_given_back_has_the_limit_of_its_pool_again(redis: Redis) -> None:
    pool = redis.connection_pool
    connection = await pool.get_connection()
    limit = connection.socket_timeout
    await pool.release(connection)
    line = Line(redis)
    await asyncio.gather(*(line.call("PING") for _ in range(2)))

    assert limit
    assert [each.socket_timeout for each in pool._available_connections] == [limit]  # it keeps the other


async def test_a_server_that_is_away_is_an_error(tmp_path: Path) -> None:
    async with Redis(unix_socket_path=str(tmp_path / "nobody.sock")) as client:
        with pytest.raises((RedisError, OSError)):
            await Line(client).call("PING")
