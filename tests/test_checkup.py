"""What doctor, the console and the API look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.checkup import look_at_redis

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from tests.conftest import Running


async def test_a_group_of_any_stream_of_a_source_is_shown(running: Running, redis: Redis) -> None:
    await running.add(id="shop", stream="orders")
    await redis.xgroup_create(running.names.stream(0, "orders"), "warehouse", id="0", mkstream=True)

    findings = await look_at_redis(redis, running.settings)

    assert [each.text for each in findings if each.name == "group"] == [
        "warehouse on partition 0 of orders has 0 events to read, for 0 s"
    ]
