"""The documented Redis user: enough for the collector, and nothing beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from tests.conftest import run_collector, until

if TYPE_CHECKING:
    from collector.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
NAME = "collector"


def rules(namespace: str) -> list[str]:
    """Return the rules of the documented user, for the keys of a test."""
    found = re.search(r"^user collector (.*)$", PAGE, re.MULTILINE)
    assert found
    return found[1].replace("headwater:", f"{namespace}:").split()


async def test_a_collector_works_under_the_documented_user_which_may_do_no_more(
    settings: Settings, redis: Redis
) -> None:
    await redis.execute_command("ACL", "SETUSER", NAME, "reset", *rules(settings.namespace))
    address = settings.redis_url.replace("unix://", f"unix://{NAME}:PASSWORD@")
    limited = settings.model_copy(update={"redis_url": address})
    try:
        async with run_collector(limited) as running:
            source = await running.add(quota_day=100)
            await running.sign_in()
            assert (await running.post(source.id, {"batch": [{"type": "page"}]})).status == 204
            assert (await running.public.get(f"/s/{source.id}.js")).status == 200
            for page in ("/", f"/sources/{source.id}", f"/sources/{source.id}/live", "/health"):
                assert (await running.console.get(page)).status == 200, page

            async def ready() -> bool:
                return (await running.public.get("/readyz")).status == 200

            await until(ready)
        async with Redis.from_url(address, protocol=2) as client:
            for command in ("FLUSHALL", "CONFIG SET maxmemory 1", "GET other:key", "KEYS *", "ACL LIST"):
                with pytest.raises(NoPermissionError):
                    await client.execute_command(*command.split())
    finally:
        await redis.execute_command("ACL", "DELUSER", NAME)
