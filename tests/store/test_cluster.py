"""Every room that speaks to Redis works on a cluster: three masters, the partitions spread over them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from zlib import crc32

import orjson
import pytest
from click.testing import CliRunner

from collector.access import Access, AccessError
from collector.cli import cli
from collector.model import Reason, Refusal
from collector.people import Holdings, forget, person
from collector.settings import Settings
from collector.sources import Catalogue, check_form
from collector.stats import REPORTS, Counters, Figures
from collector.store import Names, open_store
from collector.store.deliveries import DeliveryLog
from collector.store.mirror import Mirror
from collector.store.people import Person
from collector.store.people_index import PeopleIndex, streams_of
from collector.store.salts import Salts
from collector.store.trackers import TrackerArchive
from collector.stream import RefusedLog, Stream
from collector.stream.consumer import Consumer
from collector.stream.groups import drop_group, list_groups
from tests.conftest import run_collector, until
from tests.faults.groups import ClusterServers
from tests.stream.conftest import record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from collector.store import Redis
    from collector.stream import Record

PARTITIONS = 6


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterServers]:
    """Three masters without replicas."""
    cluster = ClusterServers(tmp_path_factory.mktemp("cluster"), replicas=False)
    yield cluster
    cluster.close()


@pytest.fixture
def settings(cluster: ClusterServers, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings with a namespace of this test's own, and streams in every part of the cluster."""
    return Settings(
        redis_url=cluster.url,
        namespace=f"test{crc32(request.node.name.encode())}",
        data=tmp_path,
        port=0,
        console_port=0,
        partitions=PARTITIONS,
        redis_timeout_seconds=1,
    )


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    """A client as the collector has it."""
    async with open_store(settings) as client:
        yield client


def of_visitors(number: int) -> list[Record]:
    """Return records of as many visitors."""
    return [
        type(one)(f"visitor{each}", one.stream, one.source, one.type, one.id, one.window, one.data)
        for each in range(number)
        for one in [record(each)]
    ]


async def test_a_hit_of_many_visitors_is_spread_over_the_masters_and_read_back(
    cluster: ClusterServers, settings: Settings, redis: Redis
) -> None:
    names = Names(settings.namespace)
    visitors = [f"visitor{number}" for number in range(40)]
    async with run_collector(settings) as running:
        source = await running.add(privacy={"visitors": "cookie"})
        answers = [
            await running.post(source.id, {"batch": [{"type": "page"}], "anonymousId": visitor})
            for visitor in visitors
        ]
        seen: list[Any] = []
        consumer = Consumer(redis, names, "g", partitions=PARTITIONS, most=100)
        async for deliveries in consumer:
            seen += [orjson.loads(delivery.event)["anonymousId"] for delivery in deliveries]
            if len(seen) == len(visitors):
                consumer.stop()
        ready = await (await running.public.get("/readyz")).json()

    assert {answer.status for answer in answers} == {204}
    assert sorted(seen) == sorted(visitors)
    assert len({cluster.holder(names.stream(each)).port for each in range(PARTITIONS)}) == 3
    assert ready["ready"], ready


async def test_the_catalogue_is_kept_and_followed(settings: Settings, redis: Redis) -> None:
    names = Names(settings.namespace)
    async with run_collector(settings) as running:
        other = Catalogue(redis, names)
        await other.load()
        await other.add(check_form({"id": "late", "name": "Late"}))

        async def known() -> bool:
            return running.parts.catalogue.find("late") is not None

        await until(known)
        await other.change("late", {"name": "Later"})
        await other.remove("late")

        async def gone() -> bool:
            return running.parts.catalogue.find("late") is None

        await until(gone)


async def test_accounts_sessions_tokens_and_history_are_kept(settings: Settings, redis: Redis) -> None:
    names = Names(settings.namespace)
    access = Access(redis, names, settings)
    link = await access.invite_first()
    assert link
    password = "correct horse battery"  # noqa: S105 - of a test
    await access.accept(link, "ada", password)
    with pytest.raises(AccessError, match="last admin"):
        await access.remove("ada")
    secret = await access.sign_in("ada", password, address="192.0.2.1", agent="")
    assert secret
    assert await access.caller_of_cookie(secret)
    assert await access.caller_of_token(await access.tokens.add("nightly", ["stats:read"]))
    await access.change_password("ada", password + "!")
    assert await access.caller_of_cookie(secret) is None

    one, other = Catalogue(redis, names), Catalogue(redis, names)
    await one.add(check_form({"id": "shop", "name": "Shop"}))
    await other.load()
    await asyncio.gather(one.change("shop", {"tags": ["a"]}), other.change("shop", {"channel": "Mobile"}))
    assert [change.version for change in await one.history("shop")] == [3, 2, 1]


async def test_logs_trackers_and_salts_are_kept(settings: Settings, redis: Redis) -> None:
    names = Names(settings.namespace)
    refused, deliveries = RefusedLog(redis, names), DeliveryLog(redis, names)
    refused.add({"source": "s", "reason": "r"})
    await refused.flush()
    for source in ("a", "b"):
        deliveries.add(source, {"verdict": "stored"}, None)
    await deliveries.flush()
    archive = TrackerArchive(redis, names)
    await archive.remember("s", "digest", b"body")
    salts, others = Salts(redis, names), Salts(redis, names)
    now = time.time()
    await salts.refresh(now)
    await others.refresh(now)
    await salts.refresh(now + 60)  # has the append-only files written anew, on all nodes

    assert await redis.xlen(names.refused) == 1
    assert [len(await deliveries.last(source)) for source in ("a", "b")] == [1, 1]
    assert await archive.recall("s", "digest") == b"body"
    assert salts.current == others.current


async def test_groups_retention_and_memory_are_looked_after(settings: Settings, redis: Redis) -> None:
    names = Names(settings.namespace)
    stream = Stream(redis, names, settings, lambda: {"events": 0})
    await stream.start()
    await redis.xgroup_create(names.stream(0), "g", id="0", mkstream=True)
    await stream.append(of_visitors(40))
    await stream._retention.trim()
    groups = [
        group for part in range(PARTITIONS) for group in await list_groups(redis, names, "events", part)
    ]
    dropped = await drop_group(redis, names, "events", PARTITIONS, "g")
    used = stream.state.memory_used, stream.state.policy
    await stream.stop()

    assert [(group.name, group.partition) for group in groups] == [("g", 0)]
    assert groups[0].lag
    assert dropped == 1
    assert used == (0.0, "")


async def test_what_is_delivered_too_often_is_set_aside(settings: Settings, redis: Redis) -> None:
    names = Names(settings.namespace)
    await redis.xadd(names.stream(0), {"source": "s", "type": "track", "event": "{}"})
    for _ in range(2):
        consumer = Consumer(redis, names, "g", idle_seconds=0, deliveries=1)
        await consumer._insist(consumer._join)
        await consumer._next()

    assert await redis.xlen(names.stream(0, "dead")) == 1


async def test_a_person_is_found_and_forgotten(settings: Settings, redis: Redis) -> None:
    names = Names(settings.namespace)
    for number in range(PARTITIONS):
        fields: Any = {"source": "s", "type": "track", "event": '{"userId":"me","type":"track"}'}
        await redis.xadd(names.stream(number), fields)
    index = PeopleIndex(redis, names, from_entries=1)
    await index.follow()
    for stream in await streams_of(redis, names):
        await index._close(stream, index._open[stream])
    holdings = Holdings(redis, names, Catalogue(redis, names))
    who = Person(user="me")

    assert len([each async for each in person(holdings, who)]) == PARTITIONS
    assert (await forget(holdings, who)).events == PARTITIONS
    assert [each async for each in person(holdings, who)] == []


async def test_charts_count_and_a_mirror_follows(settings: Settings, redis: Redis) -> None:
    names = Names(settings.namespace)
    counters = Counters(redis, names)
    for source in ("a", "b"):
        counters.refused(source, Refusal(Reason.UNKNOWN_SOURCE))
    await counters.flush()
    mirror, other = Mirror(redis, names.short_links), Mirror(redis, names.short_links)
    await other.load()
    await mirror.put({"x": b"1", "y": b"2"})
    await mirror.remove(["x"])
    await other._follow()

    figures = Figures(redis, names)

    assert (await figures.overview("a", REPORTS["day"])).total("refused") == 1
    assert set(await figures.recent(["a", "b"])) == {"a", "b"}
    assert other.values() == [b"2"]


async def test_commands_look_at_every_node(
    cluster: ClusterServers, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWATER_REDIS_URL", cluster.url)
    monkeypatch.setenv("HEADWATER_DATA", str(settings.data))
    monkeypatch.setenv("HEADWATER_PARTITIONS", str(PARTITIONS))
    monkeypatch.setenv("HEADWATER_NAMESPACE", settings.namespace)
    async with open_store(settings) as redis:
        for number in range(PARTITIONS):
            event = {"timestamp": "2026-01-01T00:00:00.000Z", "source": {"id": "s"}, "type": f"t{number}"}
            fields: Any = {"source": "s", "type": "track", "event": orjson.dumps(event)}
            await redis.xadd(Names(settings.namespace).stream(number), fields)

    doctor = await asyncio.to_thread(CliRunner().invoke, cli, ["doctor"])
    tail = await asyncio.to_thread(
        CliRunner().invoke, cli, ["tail", "--json", "--last", "1", "--count", str(PARTITIONS)]
    )

    assert all(f"(127.0.0.1:{server.port})" in doctor.output for server in cluster.servers), doctor.output
    assert all(f'"t{number}"' in tail.output for number in range(PARTITIONS)), tail.output


async def test_replicas_confirm_or_the_event_waits_in_the_spool(settings: Settings, redis: Redis) -> None:
    """There is none: WAIT must be asked of the master that has the event."""
    stream = Stream(redis, Names(settings.namespace), settings.model_copy(update={"ack": "replica"}))
    await stream.start()
    receipts = await stream.append(of_visitors(6))
    await stream.stop()

    assert {receipt.verdict for receipt in receipts} == {"spooled"}


async def test_a_slot_moves_under_load(cluster: ClusterServers, settings: Settings, redis: Redis) -> None:
    """The client is sent on by ASK while its keys are on the way, by MOVED afterwards."""
    names = Names(settings.namespace)
    stream = Stream(redis, names, settings.model_copy(update={"partitions": 1}))
    key = names.stream(0)
    source = cluster.holder(key)
    target = next(server for server in cluster.masters if server is not source)
    await stream.start()
    numbers = iter(range(100_000))
    sent: list[Record] = []
    moving = True

    async def send() -> None:
        while moving:
            sent.append(record(next(numbers)))
            await stream.append([sent[-1]])

    senders = [asyncio.create_task(send()) for _ in range(3)]
    await asyncio.sleep(0.2)
    await asyncio.to_thread(cluster.move, key, target, steps=lambda: time.sleep(0.5))
    await asyncio.sleep(0.2)
    moving = False
    await asyncio.gather(*senders)

    async def drained() -> bool:
        return stream.state.spool_events == 0 and not stream.state.trouble

    await until(drained)
    await stream.stop()
    rows: Any = await redis.xrange(key)

    assert cluster.holder(key) is target
    assert sorted(fields[b"event"] for _, fields in rows) == sorted(one.data for one in sent)


async def test_a_slot_moves_to_a_node_that_had_none(
    cluster: ClusterServers, settings: Settings, redis: Redis, tmp_path: Path
) -> None:
    names = Names(settings.namespace)
    await redis.set(f"{names.namespace}:{{0}}:a", "1")
    fresh = cluster.add_empty(tmp_path / "fresh")

    async def during() -> None:
        await redis.set(f"{names.namespace}:{{0}}:b", "2")

    loop = asyncio.get_running_loop()

    def steps() -> None:
        asyncio.run_coroutine_threadsafe(during(), loop).result(5)

    await asyncio.to_thread(cluster.move, names.stream(0), fresh, steps=steps)

    assert [await redis.get(f"{names.namespace}:{{0}}:{key}") for key in "ab"] == [b"1", b"2"]


async def test_without_a_master_events_wait_in_the_spool(
    cluster: ClusterServers, settings: Settings, redis: Redis
) -> None:
    """CLUSTERDOWN, since a part of the slots is nowhere; with the master back they follow."""
    names = Names(settings.namespace)
    stream = Stream(redis, names, settings)
    await stream.start()
    lost = cluster.holder(names.stream(1))
    lost.kill()
    receipts = await stream.append(of_visitors(40))
    await asyncio.to_thread(cluster.wait_until_down, lost)
    receipts += await stream.append([record(1000)])
    lost.start()

    async def drained() -> bool:
        return stream.state.spool_events == 0 and not stream.state.trouble

    await until(drained)
    await stream.stop()
    lengths = [await redis.xlen(names.stream(number)) for number in range(PARTITIONS)]

    assert "spooled" in {receipt.verdict for receipt in receipts}
    assert sum(lengths) == 41
