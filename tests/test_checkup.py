"""What doctor, the console and the API look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from collector.checkup import _server, look_at_redis
from collector.cli import cli
from collector.stream.pressure import _share
from tests.faults.servers import Server

if TYPE_CHECKING:
    from pathlib import Path

    from redis.asyncio import Redis

    from tests.conftest import Running


async def test_a_group_of_any_stream_of_a_source_is_shown(running: Running, redis: Redis) -> None:
    await running.add(id="shop", stream="orders")
    await redis.xgroup_create(running.names.stream(0, "orders"), "warehouse", id="0", mkstream=True)

    findings = await look_at_redis(redis, running.settings)

    assert [each.text for each in findings if each.name == "group"] == [
        "warehouse on partition 0 of orders has 0 events to read, for 0 s"
    ]


@pytest.mark.parametrize("command", ["TIME", "INFO"])
def test_a_command_that_redis_does_not_know_is_told_in_one_sentence(tmp_path: Path, command: str) -> None:
    server = Server(tmp_path / "redis", "--rename-command", command, "").start()
    try:
        flags = ("--redis-url", server.url, "--data", str(tmp_path / "data"))
        told = CliRunner().invoke(cli, ["doctor", *flags])
    finally:
        server.close()

    assert isinstance(told.exception, SystemExit), "no traceback"
    [line] = [line for line in told.output.splitlines() if f"unknown command '{command}'" in line]
    assert line.startswith("BAD")
    assert line.endswith(f"'{command}'")


def test_a_server_that_does_not_tell_what_it_holds_is_told_of_and_does_not_stop_the_watch() -> None:
    told = {"redis_version": "7.2.0", "maxmemory": 1000, "maxmemory_policy": "noeviction", "aof_enabled": 1}
    wrong = [finding.text for finding in _server("", told) if not finding.right]

    assert _share(told) == 0
    assert wrong == ["the server does not tell used_memory, so nothing is shed before its memory is full"]
    assert "of an unknown version" in next(_server("", {})).text
