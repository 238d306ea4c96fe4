"""Whatever breaks: nothing acknowledged is missing, nothing is invented or doubled, no refusal is silent."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from collector.store import Names
from collector.stream.consumer import Consumer
from collector.tasks import running
from tests.faults.clock import Clock
from tests.faults.conftest import LONG
from tests.faults.proxy import Proxy
from tests.faults.rig import rig
from tests.faults.servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.load import Verdict

    Note = Callable[[str, Verdict], None]

_WARM_SECONDS = 1.0
STREAM = "headwater:{0}:events"


def kept(verdict: Verdict) -> None:
    """Assert the promise."""
    assert verdict.acknowledged > 0
    assert (verdict.missing, verdict.invented, verdict.damaged, verdict.duplicated) == (0, 0, 0, 0)
    assert verdict.without_reason == 0


async def test_redis_is_killed(server: Server, tmp_path: Path, seconds: float, note: Note) -> None:
    async with rig(tmp_path, server) as run:
        await asyncio.sleep(_WARM_SECONDS)
        server.kill()
        await asyncio.sleep(seconds)
        server.start()
        verdict = await run.judged()
    note("Redis killed and started again, its script cache empty", verdict)
    kept(verdict)


async def test_redis_is_stopped_and_continued(
    server: Server, tmp_path: Path, seconds: float, note: Note
) -> None:
    async with rig(tmp_path, server) as run:
        await asyncio.sleep(_WARM_SECONDS)
        server.pause()
        await asyncio.sleep(30 if LONG else seconds)
        server.go_on()
        verdict = await run.judged()
    note("Redis stopped (SIGSTOP) and continued", verdict)
    kept(verdict)


async def test_answers_are_cut(server: Server, tmp_path: Path, seconds: float, note: Note) -> None:
    async with Proxy(server.port) as proxy, rig(tmp_path, server, url=proxy.url) as run:
        await asyncio.sleep(_WARM_SECONDS)
        for _ in range(int(seconds)):
            proxy.cut_reply_after = 3
            await asyncio.sleep(0.5)
            proxy.cut_reply_after = None
            await asyncio.sleep(0.5)
        verdict = await run.judged()
    note("connection cut in the middle of an answer", verdict)
    kept(verdict)


async def test_answers_are_late(server: Server, tmp_path: Path, seconds: float, note: Note) -> None:
    async with Proxy(server.port) as proxy, rig(tmp_path, server, url=proxy.url) as run:
        await asyncio.sleep(_WARM_SECONDS)
        for _ in range(int(seconds / 2)):
            proxy.hold_replies = 1.5
            await asyncio.sleep(1.2)
            proxy.hold_replies = 0
            await asyncio.sleep(0.8)
        verdict = await run.judged()
    note("answers delayed past the limit, then delivered", verdict)
    kept(verdict)


async def test_memory_is_full(server: Server, tmp_path: Path, seconds: float, note: Note) -> None:
    async with rig(tmp_path, server) as run:
        await asyncio.sleep(_WARM_SECONDS)
        with server.client() as client:
            client.config_set("maxmemory", 1024**2)
            await asyncio.sleep(seconds)
            client.config_set("maxmemory", 0)
        verdict = await run.judged()
    note("`maxmemory` reached", verdict)
    kept(verdict)


async def test_the_disk_of_the_append_only_file_is_full(
    server: Server, tmp_path: Path, seconds: float, note: Note
) -> None:
    with server.client() as client:
        client.config_set("appendfsync", "everysec")  # with always, Redis ends: it is the case of a kill
    async with rig(tmp_path, server) as run:
        await asyncio.sleep(_WARM_SECONDS)
        server.limit_files(4096)
        await asyncio.sleep(seconds)
        server.limit_files(-1)
        verdict = await run.judged()
    note("disk of the append-only file full (`MISCONF`)", verdict)
    kept(verdict)


async def test_the_spool_is_full_too(server: Server, tmp_path: Path, seconds: float, note: Note) -> None:
    async with rig(tmp_path, server) as run:
        await asyncio.sleep(_WARM_SECONDS)
        run.collector.limit_files(64 * 1024)
        server.kill()
        await asyncio.sleep(seconds)
        run.collector.limit_files(-1)
        await asyncio.sleep(_WARM_SECONDS)
        server.start()
        verdict = await run.judged()
    note("Redis killed and the spool's disk full", verdict)
    kept(verdict)
    assert verdict.refused > 0


async def test_a_worker_is_killed(server: Server, tmp_path: Path, seconds: float, note: Note) -> None:
    async with rig(tmp_path, server, workers="2") as run:
        await asyncio.sleep(_WARM_SECONDS)
        assert "headwater_sources 1.0" in (await run.collector.metrics()).splitlines()
        run.collector.kill(run.collector.pids[1])
        await asyncio.sleep(seconds)
        verdict = await run.judged()
    note("a worker killed", verdict)
    kept(verdict)


async def test_a_worker_is_killed_while_it_spools(
    server: Server, tmp_path: Path, seconds: float, note: Note
) -> None:
    """Its file is an orphan, and two workers may want it."""
    async with rig(tmp_path, server, workers="3") as run:
        await asyncio.sleep(_WARM_SECONDS)
        server.kill()
        await asyncio.sleep(seconds)
        run.collector.kill(run.collector.pids[1])
        server.start()
        verdict = await run.judged()
    note("a worker killed while it spools; its spool adopted by one of two", verdict)
    kept(verdict)


async def test_the_parent_is_killed(server: Server, tmp_path: Path, seconds: float, note: Note) -> None:
    async with rig(tmp_path, server, workers="2") as run:
        await asyncio.sleep(_WARM_SECONDS)
        run.collector.kill(run.collector.pids[0])
        await asyncio.sleep(seconds)
        await run.collector.start()
        verdict = await run.judged()
    note("the workers' parent killed, then started again", verdict)
    kept(verdict)


async def test_the_collector_is_killed_in_the_middle_of_a_drain(
    server: Server, tmp_path: Path, seconds: float, note: Note
) -> None:
    async with rig(tmp_path, server, group_events="5") as run:
        server.kill()
        await asyncio.sleep(_WARM_SECONDS + seconds)
        server.start()
        for _ in range(3):
            await asyncio.sleep(0.3)
            run.collector.kill(run.collector.pids[0])
            await run.collector.start()
        verdict = await run.judged()
    note("the collector killed three times in the middle of a drain", verdict)
    kept(verdict)


async def test_the_clock_is_set_back(tmp_path: Path, seconds: float, note: Note) -> None:
    """By an hour, for Redis and the collector; then a client sends again what it had sent before."""
    clock = Clock(tmp_path)
    server = Server(tmp_path / "redis", environment=clock.environment).start()
    try:
        async with rig(tmp_path, server, environment=clock.environment) as run:
            await asyncio.sleep(_WARM_SECONDS)
            clock.set(-3600)
            await asyncio.sleep(max(seconds, 2))
            await run.load.repeat(100)
            with server.client() as client:
                behind = time.time() - client.time()[0]
            verdict = await run.judged()
    finally:
        server.close()
    note("clock set back by an hour", verdict)
    kept(verdict)
    assert behind > 3000


async def _read_slowly(server: Server) -> None:
    async with Redis.from_url(server.url, protocol=2) as redis:
        consumer = Consumer(redis, Names(), "slow", most=10)
        async for _ in consumer:
            await asyncio.sleep(0.05)


async def test_a_group_reads_slowly(server: Server, tmp_path: Path, seconds: float, note: Note) -> None:
    with server.client() as client:
        client.xgroup_create(STREAM, "slow", id="0", mkstream=True)
    async with rig(tmp_path, server) as run, running(_read_slowly(server)):
        await asyncio.sleep(_WARM_SECONDS + seconds)
        verdict = await run.judged()
    note("a group that reads slowly, producers at full speed", verdict)
    kept(verdict)
    with server.client() as client:
        slow = next(group for group in client.xinfo_groups(STREAM) if group["name"] == b"slow")
        assert client.xlen(STREAM) == verdict.acknowledged
        assert 0 < slow["entries-read"] < verdict.acknowledged
