"""Kafka as the engine of the stream: what its topics hold, what Redis remembers, and where people look."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from click.testing import CliRunner
from redis.exceptions import ResponseError

from collector.checkup import look_at_redis
from collector.cli import cli
from collector.store import Names, StoreError
from collector.store.kafka import place_of
from collector.stream import Record
from collector.stream.engine import open_engine
from tests.conftest import run_collector
from tests.faults.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import Redis

    from collector.settings import Settings
    from tests.queues.kafka_broker import Kafka


@pytest.fixture
async def kafka_settings(settings: Settings, kafka: Kafka) -> Settings:
    """Settings with a topic of three partitions for the events."""
    await kafka.start()
    await kafka.make_anew(f"{settings.namespace}.events", 3)
    return settings.model_copy(update={"stream": f"kafka://{kafka.url}"})


def record(number: int, visitor: str = "v1", source: str = "web1", size: int = 0) -> Record:
    data = orjson.dumps({"n": number, "pad": "x" * size})
    return Record(visitor, "events", source, "track", f"id{number}", 3600, data)


async def messages(kafka: Kafka, settings: Settings, count: int) -> list[Any]:
    """Return all messages of the topic, which must be so many."""
    topic = f"{settings.namespace}.events"
    found: list[Any] = []
    options: dict[str, Any] = {"bootstrap_servers": kafka.url, "auto_offset_reset": "earliest"}
    async with AIOKafkaConsumer(topic, **options) as consumer:
        while len(found) < count:
            found += [each for rows in (await consumer.getmany(timeout_ms=500)).values() for each in rows]
        found += [each for rows in (await consumer.getmany(timeout_ms=300)).values() for each in rows]
    return found


async def test_each_id_of_a_source_is_a_message_once_and_a_visitor_is_a_key(
    kafka: Kafka, kafka_settings: Settings, redis: Redis
) -> None:
    engine = open_engine(redis, Names(kafka_settings.namespace), kafka_settings)
    appender = engine.appender(0)
    first = await appender.append([record(1), record(2), record(1), record(1, source="web2")])
    again = await appender.append([record(2), record(3)])
    await engine.stop()
    found = await messages(kafka, kafka_settings, 4)

    assert [each.verdict for each in first] == ["stored", "stored", "duplicate", "stored"]
    assert [each.verdict for each in again] == ["duplicate", "stored"]
    assert [orjson.loads(each.value)["n"] for each in found] == [1, 2, 1, 3]
    assert {each.key for each in found} == {b"v1"}
    assert dict(found[2].headers) == {"id": b"id1", "source": b"web2", "type": b"track"}


async def test_two_that_append_at_once_keep_each_visitors_order(
    kafka: Kafka, kafka_settings: Settings, redis: Redis
) -> None:
    engine = open_engine(redis, Names(kafka_settings.namespace), kafka_settings)
    lanes = [engine.appender(number) for number in range(2)]

    async def append(lane: int) -> None:
        for start in range(0, 200, 20):
            numbers: Sequence[int] = range(start, start + 20)
            await lanes[lane].append([record(1000 * lane + n, visitor=f"v{lane}") for n in numbers])

    await asyncio.gather(append(0), append(1))
    await engine.stop()
    found = await messages(kafka, kafka_settings, 400)

    for lane in range(2):
        numbers = [orjson.loads(each.value)["n"] for each in found if each.key == f"v{lane}".encode()]
        assert numbers == list(range(1000 * lane, 1000 * lane + 200))


async def test_what_kafka_takes_in_no_way_is_told_from_what_it_does_not_take_now(
    kafka_settings: Settings, redis: Redis
) -> None:
    names = Names(kafka_settings.namespace)
    engine = open_engine(redis, names, kafka_settings)
    with pytest.raises(ResponseError):
        await engine.appender(0).append([record(1, size=2_000_000)])
    assert [each.verdict for each in await engine.appender(0).append([record(1)])] == ["stored"]
    await engine.stop()

    gone = kafka_settings.model_copy(update={"stream": f"kafka://127.0.0.1:{free_port()}"})
    with pytest.raises(OSError, match="Connect call failed"):
        await open_engine(redis, names, gone).appender(0).append([record(2)])


async def test_of_a_group_that_is_refused_what_has_arrived_is_not_sent_again(
    kafka: Kafka, kafka_settings: Settings, redis: Redis
) -> None:
    engine = open_engine(redis, Names(kafka_settings.namespace), kafka_settings)
    appender = engine.appender(0)
    with pytest.raises(ResponseError):
        await appender.append([record(1), record(2, size=2_000_000), record(3)])
    again = await appender.append([record(1), record(3)])
    await engine.stop()
    found = await messages(kafka, kafka_settings, 2)

    assert [each.verdict for each in again] == ["duplicate", "stored"]
    assert [orjson.loads(each.value)["n"] for each in found] == [1, 3]


async def test_an_event_of_a_browser_is_in_kafka_and_among_the_last_that_people_see(
    kafka: Kafka, kafka_settings: Settings
) -> None:
    async with run_collector(kafka_settings) as running:
        await running.add(id="web1")
        answer = await running.post("web1", {"batch": [{"type": "track", "event": "Bought"}]})
        shown = await running.events()
    (found,) = await messages(kafka, kafka_settings, 1)

    assert answer.status == 204
    assert orjson.loads(found.value) == shown[0]
    assert shown[0]["event"] == "Bought"


async def test_doctor_names_the_topic_that_is_there_or_missing_and_says_when_kafka_is_away(
    kafka_settings: Settings, redis: Redis
) -> None:
    told = []
    gone = {"stream": f"kafka://127.0.0.1:{free_port()}"}
    for change in ({}, {"namespace": "other"}, gone):
        settings = kafka_settings.model_copy(update=change)
        told += [each for each in await look_at_redis(redis, settings) if each.name == "kafka"]
    there, missing, away = told

    assert (there.right, there.text) == (True, f"events are in its topic {kafka_settings.namespace}.events")
    assert (missing.right, missing.text) == (False, "it has no topic other.events: make it")
    assert not away.right
    assert "Kafka does not answer" in away.text


async def test_doctor_says_what_to_install_where_the_library_is_missing(
    settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "collector.stream.kafka", raising=False)
    monkeypatch.setitem(sys.modules, "aiokafka", None)
    findings = await look_at_redis(redis, settings.model_copy(update={"stream": "kafka://127.0.0.1:9"}))
    (found,) = [each for each in findings if each.name == "kafka"]

    assert not found.right
    assert "pip install 'headwater[kafka]'" in found.text


async def test_a_topic_that_is_missing_is_made_like_that_of_the_events_which_must_be_there(
    kafka: Kafka, kafka_settings: Settings, redis: Redis
) -> None:
    names = Names(kafka_settings.namespace)
    engine = open_engine(redis, names, kafka_settings)
    await engine.appender(0).append([record(1)._replace(stream="mine")])
    await engine.stop()
    nowhere = Names("nowhere")
    with pytest.raises(OSError, match=r"Kafka has no topic nowhere\.events: make it"):
        await open_engine(redis, nowhere, kafka_settings).appender(0).append([record(1)])

    assert len(await kafka.partitions(names.topic("mine"))) == 3


@pytest.mark.parametrize(
    "command",
    [["consume", "--group", "g", "--ndjson"], ["group", "list"], ["worker", "classify"]],
    ids=lambda each: each[0],
)
def test_commands_that_read_redis_say_where_the_events_are(settings: Settings, command: list[str]) -> None:
    environment = {"HEADWATER_REDIS_URL": settings.redis_url, "HEADWATER_STREAM": "kafka://kafka.example"}
    result = CliRunner().invoke(cli, command, env={**environment, "HEADWATER_DATA": str(settings.data)})

    assert result.exit_code == 1
    assert "read the topic headwater.events" in result.output


async def test_an_address_holds_a_login_and_how_to_sign_in() -> None:
    place = place_of("kafka://jo:p%40ss@a:9092,b:9093?sasl=SCRAM-SHA-512")

    assert place.hosts == ("a:9092", "b:9093")
    assert (place.user, place.password, place.sasl, place.tls) == ("jo", "p@ss", "SCRAM-SHA-512", None)
    with pytest.raises(StoreError, match="a file for TLS cannot be used"):
        place_of("kafka+ssl://a?ca=/nowhere.pem")
