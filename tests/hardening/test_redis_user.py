"""The documented Redis user: all tests' collectors run as it (tests/conftest.py), and it may do no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from tests.conftest import run_collector, until

if TYPE_CHECKING:
    from collector.settings import Settings


async def test_a_collector_works_under_the_documented_user_which_may_do_no_more(settings: Settings) -> None:
    assert settings.redis_url.startswith("unix://collector:PASSWORD@")
    async with run_collector(settings) as running:
        source = await running.add(quota_day=100)
        await running.sign_in()
        assert (await running.post(source.id, {"batch": [{"type": "page"}]})).status == 204
        assert (await running.public.get(f"/s/{source.id}.js")).status == 200
        for page in ("/", f"/sources/{source.id}", f"/sources/{source.id}/live", "/health"):
            assert (await running.console.get(page)).status == 200, page

        async def ready() -> bool:
            return (await running.public.get("/readyz")).status == 200

        await until(ready)
    async with Redis.from_url(settings.redis_url, protocol=2) as client:
        for command in (
            "FLUSHALL",
            "CONFIG SET maxmemory 1",
            "GET other:key",
            "KEYS *",
            "ACL LIST",
            "SHUTDOWN",
        ):
            with pytest.raises(NoPermissionError):
                await client.execute_command(*command.split())
