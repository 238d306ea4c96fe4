"""Redis away, hanging, refusing or forgetful: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from collector.stream import StreamError
from tests.conftest import run_collector, until
from tests.faults.proxy import Proxy
from tests.stream.conftest import open_stream, record, stored

if TYPE_CHECKING:
    from pathlib import Path

    from collector.settings import Settings
    from collector.stream import Stream
    from tests.faults.servers import Server


async def drained(stream: Stream) -> None:
    async def empty() -> bool:
        return stream.state.spool_events == 0 and not stream.state.trouble

    await until(empty)


async def test_events_wait_in_the_spool_while_redis_hangs_and_follow_in_order(
    server: Server, tmp_path: Path
) -> None:
    async with open_stream(server, tmp_path) as stream:
        await stream.append([record(0)])
        server.pause()
        receipts = [await stream.append([record(number)]) for number in range(1, 6)]
        server.go_on()
        await drained(stream)

    assert [receipt.verdict for (receipt,) in receipts] == ["spooled"] * 5
    assert stored(server) == [record(number).data for number in range(6)]


async def test_events_of_a_worker_that_ended_without_redis_are_brought_by_the_next(
    server: Server, tmp_path: Path
) -> None:
    server.kill()
    async with open_stream(server, tmp_path) as stream:
        await stream.append([record(0), record(1)])
    server.start()
    async with open_stream(server, tmp_path) as stream:
        await drained(stream)
        await until(lambda: _count(server, 2))

    assert stored(server) == [record(0).data, record(1).data]


async def _count(server: Server, number: int, stream: str = "events") -> bool:
    return len(stored(server, stream)) == number


async def test_a_group_whose_answer_was_lost_is_not_doubled_after_its_ids_are_forgotten(
    server: Server, tmp_path: Path
) -> None:
    """The id window is over, so only the writer's mark can tell that Redis took the group after all."""
    async with Proxy(server.port) as proxy, open_stream(server, tmp_path, redis_url=proxy.url) as stream:
        await stream.append([record(0, window=1)])
        proxy.hold_replies = 3
        (receipt,) = await stream.append([record(1, window=1)])
    assert len(stored(server)) == 2
    await until(lambda: _ids_forgotten(server))
    async with open_stream(server, tmp_path) as stream:
        await drained(stream)
        await until(lambda: _spool_gone(tmp_path))

    assert receipt.verdict == "spooled"
    assert len(stored(server)) == 2


async def test_a_group_that_arrives_after_its_replay_is_not_doubled(server: Server, tmp_path: Path) -> None:
    async with Proxy(server.port) as proxy:
        async with open_stream(server, tmp_path, redis_url=proxy.url) as stream:
            await stream.append([record(0, window=1)])
            proxy.hold_requests = 6
            await stream.append([record(1, window=1)])
        async with open_stream(server, tmp_path) as stream:
            await until(lambda: _count(server, 2))
            await until(lambda: _ids_forgotten(server))
        assert proxy.busy
        await proxy.passed()

    assert len(stored(server)) == 2


async def _ids_forgotten(server: Server) -> bool:
    with server.client() as client:
        return not client.keys("*:ids:*")


async def _spool_gone(data: Path) -> bool:
    return len(list((data / "spool").glob("*.db"))) <= 1


async def test_a_parcel_that_redis_refuses_is_set_aside_and_the_rest_goes_on(
    server: Server, tmp_path: Path
) -> None:
    with server.client() as client:
        client.set("headwater:{0}:odd", "no stream")
    async with open_stream(server, tmp_path) as stream:
        await stream.append([record(0, stream="odd")])
        await stream.append([record(1)])
        await until(lambda: _count(server, 1))

    assert stored(server) == [record(1).data]
    with server.client() as client:
        client.delete("headwater:{0}:odd")
    async with open_stream(server, tmp_path):
        await until(lambda: _count(server, 1, "odd"))
    assert stored(server, "odd") == [record(0).data]


async def test_events_are_refused_when_the_spool_is_full_too(server: Server, tmp_path: Path) -> None:
    server.kill()
    async with open_stream(server, tmp_path, spool_bytes=1024**2, source_share=1) as stream:
        await stream.append([record(0, size=900_000)])
        with pytest.raises(StreamError):
            await stream.append([record(1, size=900_000)])

        assert stream.state.refusing == "the spool is full"


async def test_a_loud_source_leaves_room_in_the_spool_for_others(server: Server, tmp_path: Path) -> None:
    server.kill()
    async with open_stream(server, tmp_path, spool_bytes=1024**2, source_share=0.5) as stream:
        for number in range(3):
            await stream.append([record(number, size=200_000)])
        with pytest.raises(StreamError, match="its share"):
            await stream.append([record(3, size=200_000)])
        quiet = record(4, size=200_000)._replace(source="quiet")
        (receipt,) = await stream.append([quiet])
        server.start()
        await drained(stream)
        (again,) = await stream.append([record(3, size=200_000)])

    assert (receipt.verdict, again.verdict) == ("spooled", "stored")


async def test_a_disk_that_is_nearly_full_is_left_to_others(server: Server, tmp_path: Path) -> None:
    server.kill()
    async with open_stream(server, tmp_path, spool_free_bytes=10**18) as stream:
        with pytest.raises(StreamError, match="nearly full"):
            await stream.append([record(0)])


async def test_a_restart_that_empties_the_script_cache_goes_unnoticed(server: Server, tmp_path: Path) -> None:
    async with open_stream(server, tmp_path) as stream:
        await stream.append([record(0)])
        with server.client() as client:
            client.script_flush()
        (receipt,) = await stream.append([record(1)])

    assert receipt.verdict == "stored"


async def test_memory_that_is_nearly_full_sends_events_to_the_spool_before_redis_refuses(
    server: Server, tmp_path: Path
) -> None:
    async with open_stream(server, tmp_path) as stream:
        with server.client() as client:
            client.set("ballast", b"x" * 20 * 1024**2)
            client.config_set("maxmemory", int(client.info("memory")["used_memory"] * 1.05))

            async def strained() -> bool:
                used: Any = client.info("memory")
                client.config_set("maxmemory", int(used["used_memory"] * 1.05))
                return stream.strained

            await until(strained)
            (receipt,) = await stream.append([record(0)])
            client.delete("ballast")
        await drained(stream)

    assert receipt.verdict == "spooled"
    assert stored(server) == [record(0).data]


async def test_too_many_waiting_bytes_are_refused(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.stream._MOST_HELD_BYTES", 100)
    async with open_stream(server, tmp_path) as stream:
        with pytest.raises(StreamError):
            await stream.append([record(0, size=200)])


async def test_acknowledged_from_memory_says_so_and_is_written_before_the_end(
    server: Server, tmp_path: Path
) -> None:
    async with open_stream(server, tmp_path, ack="memory") as stream:
        receipts = await asyncio.gather(*(stream.append([record(number)]) for number in range(10)))

    assert {receipt.verdict for (receipt,) in receipts} == {"accepted"}
    assert len(stored(server)) == 10


async def test_a_group_is_confirmed_by_replicas_when_asked_for(server: Server, tmp_path: Path) -> None:
    """There is no replica: the event goes to the spool, and leaves it only when one has it."""
    async with open_stream(server, tmp_path, ack="replica") as stream:
        (receipt,) = await stream.append([record(0)])

        assert receipt.verdict == "spooled"
        assert stream.state.spool_events == 1


async def test_the_street_hears_503_and_when_to_come_back(settings: Settings, server: Server) -> None:
    settings = settings.model_copy(update={"redis_url": server.url, "spool_free_bytes": 10**18})
    async with run_collector(settings) as running:
        source = await running.add()
        server.kill()
        answer = await running.post(source.id, {"batch": [{"type": "page"}]})
        ready = await running.public.get("/readyz")

    assert answer.status == 503
    assert 5 <= int(answer.headers["Retry-After"]) <= 15
    assert answer.headers["X-Headwater-Reason"] == "stream_unavailable"
    assert answer.headers["X-Headwater-Interval"] == "10000"
    assert ready.status == 503
    assert (await ready.json())["checks"]["spool"] == "the disk is nearly full"


async def test_the_collector_stays_ready_while_it_spools(settings: Settings, server: Server) -> None:
    settings = settings.model_copy(update={"redis_url": server.url})
    async with run_collector(settings) as running:
        source = await running.add()
        server.kill()
        answer = await running.post(source.id, {"batch": [{"type": "page"}]})
        ready = await running.public.get("/readyz")

    assert (answer.status, ready.status) == (204, 200)
    assert (await ready.json())["checks"]["redis"].startswith("spooling")
    assert answer.headers["X-Headwater-Interval"] == "10000"
