"""Brokers: events arrive as they are, with their ids, each visitor's in order, whatever dies in between."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import aio_pika
import nats
import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from collector.sinks import Away, Limits, Rejected, SinkError
from collector.sinks.registry import open_sink
from collector.sinks.runner import Done, Runner
from collector.store import Names
from collector.stream.consumer import Consumer
from tests.faults.servers import free_port
from tests.queues.brokers import TOPIC, Nats, RabbitMQ
from tests.queues.kafka_broker import PASSWORD, Kafka
from tests.sinks.conftest import delivery, event, fill, tombstone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from redis.asyncio import Redis

    from collector.settings import Settings
    from tests.sinks.conftest import Bring

Sent = tuple[str, dict[str, str], bytes]


class Place(Protocol):
    """A place in a broker, empty at first; ``once`` says whether the broker itself drops what comes twice."""

    sink: str
    to: str
    options: dict[str, str]
    once: bool

    async def read(self) -> list[Sent]:
        """Return id, headers and body of all messages."""

    async def start(self) -> None: ...
    def kill(self) -> None: ...


class InNats:
    sink, once = "nats", True

    def __init__(self, broker: Nats) -> None:
        self.to = f"nats://127.0.0.1:{broker.port}/{TOPIC}"
        self.options: dict[str, str] = {}
        self.start, self.kill = broker.start, broker.kill

    async def read(self) -> list[Sent]:
        client = await nats.connect(self.to.rpartition("/")[0])
        pull = await client.jetstream().pull_subscribe(TOPIC)
        there = (await pull.consumer_info()).num_pending
        found: list[Any] = []
        while len(found) < there:
            found += await pull.fetch(500, timeout=10)
            await asyncio.gather(*(each.ack() for each in found[-500:]))
        await client.close()
        return [(each.headers["Nats-Msg-Id"], each.headers, each.data) for each in found]


class InRabbit:
    sink, once = "rabbitmq", False

    def __init__(self, broker: RabbitMQ) -> None:
        self.to = f"amqp://127.0.0.1:{broker.port}"
        self.options = {"queue": TOPIC}
        self.start, self.kill = broker.start, broker.kill

    async def read(self) -> list[Sent]:
        connection = await aio_pika.connect(self.to)
        queue = await (await connection.channel()).get_queue(TOPIC)
        found: list[Any] = []
        while message := await queue.get(fail=False, no_ack=True):
            found.append(message)
        await connection.close()
        return [(each.message_id, each.headers, each.body) for each in found]


class InKafka:
    sink, once = "kafka", False

    def __init__(self, broker: Kafka) -> None:
        self._broker = broker
        self.to = f"kafka://127.0.0.1:{broker.port}/{TOPIC}"
        self.options: dict[str, str] = {}
        self.start, self.kill = broker.start, broker.kill

    async def read(self) -> list[Sent]:
        reader = AIOKafkaConsumer(TOPIC, bootstrap_servers=self._broker.url, auto_offset_reset="earliest")
        async with reader:
            parts = list(reader.assignment())
            end = sum((await reader.end_offsets(parts)).values())
            found: list[Any] = []
            while sum([await reader.position(each) for each in parts]) < end:
                found += [row for rows in (await reader.getmany(timeout_ms=200)).values() for row in rows]
        told = [({key: value.decode() for key, value in row.headers}, row) for row in found]
        assert all(row.key.decode() == headers["visitor"] for headers, row in told)
        return [(headers["id"], headers, row.value) for headers, row in told]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    made = Kafka(tmp_path_factory.mktemp("kafka"))
    yield made
    made.kill()


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    made = RabbitMQ(tmp_path_factory.mktemp("rabbit"))
    yield made
    made.kill()


@pytest.fixture(params=["nats", "rabbitmq", "kafka"])
async def place(request: pytest.FixtureRequest, tmp_path: Any) -> AsyncIterator[Place]:
    """A place in each broker in turn."""
    if request.param == "rabbitmq":
        shared: RabbitMQ = request.getfixturevalue("rabbit")
        await shared.start()
        await shared.empty()
        yield InRabbit(shared)
        return
    if request.param == "kafka":
        topic: Kafka = request.getfixturevalue("kafka")
        await topic.start()
        await topic.empty()
        yield InKafka(topic)
        return
    broker = Nats(tmp_path / "nats")
    await broker.start()
    yield InNats(broker)
    broker.kill()


@pytest.fixture
async def sink(place: Place) -> AsyncIterator[Any]:
    """A sink that sends to the place."""
    opened: Any = open_sink(place.sink, place.to, place.options)
    yield opened
    await opened.close()


async def write(sink: Any, *batch: Any) -> None:
    """Write as the runner does."""
    await sink.healthy()
    await sink.write(batch)


async def open_and_write(name: str, to: str, options: dict[str, str]) -> None:
    """Send one event by a sink of its own."""
    sink: Any = open_sink(name, to, options)
    try:
        await write(sink, delivery(1))
    finally:
        await sink.close()


async def test_an_event_arrives_as_it_is_with_what_a_reader_needs_beside_it(place: Place, sink: Any) -> None:
    odd = delivery(2, messageId="a\r\nNats-Msg-Id: b", anonymousId="ä%")
    mark = tombstone(3, "2026-01-03T00:00:00.000Z", userId="ada")

    await write(sink, delivery(1), odd, mark)

    (first, headers, body), second, third = await place.read()
    told = {key: headers[key] for key in ("id", "source", "type", "visitor")}
    assert (first, body) == ("web1/m1", delivery(1).event)
    assert told == {"id": "web1/m1", "source": "web1", "type": "track", "visitor": "visitor1"}
    assert (second[0], second[1]["visitor"]) == ("web1/a%0D%0ANats-Msg-Id: b", "%C3%A4%25")
    assert (third[0], third[1]["type"], third[2]) == ("headwater/m3", "forget", mark.event)


async def test_a_sink_that_is_killed_again_and_again_leaves_every_event(
    redis: Redis, settings: Settings, bring: Bring, place: Place
) -> None:
    events = [event(number) for number in range(2000)]
    await fill(redis, settings, *events)

    await bring(place.sink, place.to, place.options)

    sent = await place.read()
    assert sorted(dict(each[::2] for each in sent).values()) == sorted(events)
    assert len(sent) == len(events) or not place.once


async def test_a_broker_that_is_away_is_waited_for_and_one_that_is_back_takes_on(
    place: Place, sink: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.sinks.kafka.CONFIRM_SECONDS", 2)
    await write(sink, delivery(1))
    place.kill()
    for _ in range(2):
        with pytest.raises((Away, OSError)):
            await write(sink, delivery(2))

    await place.start()
    await write(sink, delivery(2))

    assert [each[0] for each in await place.read()] == ["web1/m1", "web1/m2"]


async def test_messages_of_a_visitor_keep_their_order(place: Place, sink: Any) -> None:
    await write(sink, *map(delivery, range(1000)))
    await write(sink, *map(delivery, range(1000, 1500)))

    assert [orjson.loads(each[2])["properties"]["number"] for each in await place.read()] == [*range(1500)]


async def test_what_cannot_be_a_message_is_rejected(place: Place, sink: Any) -> None:
    with pytest.raises(Rejected):
        await write(sink, delivery(1), replace(delivery(2), event=b"{"))

    assert await place.read() == []


async def test_what_is_too_large_for_kafka_is_set_aside_and_nothing_beside_it_is_sent_twice(
    redis: Redis, settings: Settings, kafka: Kafka
) -> None:
    """For the client as for the topic."""
    await kafka.start()
    await kafka.make_anew(TOPIC, 2, {"max.message.bytes": "100000"})
    events = [event(number) for number in range(12)]
    for place, size in ((3, 200_000), (7, 2_000_000), (8, 200_000)):
        events[place] = event(place, properties={"text": "x" * size})
    await fill(redis, settings, *events)
    names = Names(settings.namespace)
    limits = Limits(events=12, size=10_000_000, seconds=5)
    consumer = Consumer(redis, names, "g", gather=limits)
    place = InKafka(kafka)

    async def told(done: Done) -> None:
        if done.events == len(events):
            consumer.stop()

    await Runner(consumer, open_sink("kafka", place.to, {})).run(told)

    dead = [orjson.loads(fields[b"event"]) for _, fields in await redis.xrange(names.stream(0, "dead"))]
    assert [each["messageId"] for each in dead] == ["m3", "m7", "m8"]
    expected = sorted(f"web1/m{number}" for number in range(12) if number not in {3, 7, 8})
    assert sorted(each[0] for each in await place.read()) == expected


@pytest.mark.parametrize(
    ("name", "to", "options", "told"),
    [
        ("nats", "nats://127.0.0.1:{nats}/nowhere", {}, "No stream of JetStream holds nowhere."),
        ("nats", "nats://127.0.0.1:{nats}", {}, "The target names no subject"),
        ("rabbitmq", "amqp://127.0.0.1:{rabbit}", {"queue": "no"}, "RabbitMQ has no queue or exchange no."),
        (
            "rabbitmq",
            "amqp://127.0.0.1:{rabbit}",
            {"exchange": "no"},
            "RabbitMQ has no queue or exchange no.",
        ),
        ("rabbitmq", "amqp://127.0.0.1:{rabbit}", {}, "Name the queue or the exchange"),
        (
            "rabbitmq",
            "amqp://127.0.0.1:{rabbit}",
            {"queue": TOPIC, "password": "wrongsecret"},
            "RabbitMQ does not accept the user and password.",
        ),
        ("rabbitmq", "amqp://127.0.0.1:{rabbit}", {"exchange": "amq.fanout"}, "No queue takes what is sent"),
    ],
)
async def test_what_a_person_must_mend_is_one_sentence(
    rabbit: RabbitMQ, tmp_path: Any, name: str, to: str, options: dict[str, str], told: str
) -> None:
    await rabbit.start()
    broker = Nats(tmp_path / "nats")
    await broker.start()
    try:
        to = to.format(nats=broker.port, rabbit=rabbit.port)
        with pytest.raises(SinkError) as raised:
            await open_and_write(name, to, options)
    finally:
        broker.kill()

    assert str(raised.value).startswith(told)


async def test_a_login_of_nats_is_asked_for(tmp_path: Any) -> None:
    broker = Nats(tmp_path / "nats", "--user", "jo", "--pass", "rightsecret")
    await broker.spawn()
    for options in ({}, {"user": "jo", "password": "wrongsecret"}):
        sink: Any = open_sink("nats", f"nats://127.0.0.1:{broker.port}/{TOPIC}", options)
        with pytest.raises(SinkError, match="NATS does not accept the user and password, or the token"):
            await sink.healthy()
    broker.kill()


@pytest.mark.parametrize(
    ("name", "to", "options"),
    [
        ("nats", "nats://127.0.0.1:{port}/x", {}),
        ("rabbitmq", "amqp://127.0.0.1:{port}", {"queue": "q"}),
        ("kafka", "kafka://127.0.0.1:{port}/x", {}),
    ],
)
async def test_nobody_there_is_away_and_tells_no_secret(name: str, to: str, options: dict[str, str]) -> None:
    login = {"password": "rightsecret", "user": "jo"}
    sink: Any = open_sink(name, to.format(port=free_port()), {**login, **options})

    with pytest.raises(Away) as raised:
        await sink.healthy()

    assert "rightsecret" not in str(raised.value)


async def test_a_login_and_certificates_of_kafka_are_asked_for(kafka: Kafka) -> None:
    await kafka.start()
    await kafka.empty()
    certificate, key = kafka.authority.issue("client")
    files = {"ca": str(kafka.authority.file), "certificate": str(certificate), "key": str(key)}
    to = f"kafka+ssl://127.0.0.1:{kafka.tls_port}"

    await open_and_write("kafka", f"{to}/{TOPIC}", {**files, "user": "jo", "password": PASSWORD})
    for topic, password, told in (
        (TOPIC, "wrongsecret", "Kafka does not accept the user and password."),
        ("nowhere", PASSWORD, "Kafka has no topic nowhere, or does not show it to us."),
    ):
        with pytest.raises(SinkError) as raised:
            await open_and_write("kafka", f"{to}/{topic}", {**files, "user": "jo", "password": password})
        assert str(raised.value) == told

    assert [each[0] for each in await InKafka(kafka).read()] == ["web1/m1"]
