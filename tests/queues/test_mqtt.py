"""What MQTT alone has: a session for one worker at a time, wildcards, retained messages, two versions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest

from collector.bridges.queue import QueueBridge, mqtt
from collector.bridges.queue.broker import Message
from collector.bridges.queue.kinds import open_broker
from collector.bridges.queue.naming import REMEMBERED, Naming
from collector.sources.queue import QueueSettings
from collector.store.queues import QueueStates
from collector.tasks import end
from collector.tasks import running as in_background
from tests.conftest import until
from tests.queues.brokers import started
from tests.queues.mqtt_broker import Mosquitto
from tests.queues.test_queues import _connected, _worker, event, numbers, source_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from redis.asyncio import Redis

    from collector.bridges.queue.broker import Broker as Reading
    from tests.conftest import Running


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with started("mqtt", tmp_path) as broker:
        assert isinstance(broker, Mosquitto)
        yield broker


async def reading(mosquitto: Mosquitto, **settings: Any) -> Reading:
    broker = open_broker(QueueSettings.model_validate({**mosquitto.settings, **settings}), "w1")
    await broker.connect()
    return broker


async def send(mosquitto: Mosquitto, topic: str, body: bytes, **how: Any) -> None:
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        await client.publish(topic, body, **how)


async def _of(running: Running, count: int) -> bool:
    return len(await running.events()) >= count


async def test_one_worker_at_a_time_reads_and_the_next_one_goes_on_where_it_ended(
    running: Running, redis: Redis, mosquitto: Mosquitto
) -> None:
    await running.add(**source_of(mosquitto))
    first = QueueBridge(running.parts.pipeline, QueueStates(redis, running.names))
    second = QueueBridge(running.parts.pipeline, QueueStates(redis, running.names))

    async def begun(bridge: QueueBridge) -> bool:
        return bool(bridge.readers)

    async with in_background(first.run()):
        await until(lambda: begun(first))
        waiting = asyncio.create_task(second.run())
        await mosquitto.publish([event(number) for number in range(50)])
        await until(lambda: _of(running, 50))
        assert second.readers == {}
    await until(lambda: begun(second))
    await mosquitto.publish([event(number) for number in range(50, 100)])
    await until(lambda: _of(running, 100))
    await end(waiting)

    assert numbers(await running.events()) == list(range(100))


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_what_was_not_acknowledged_is_delivered_again_in_either_version(
    mosquitto: Mosquitto, version: str
) -> None:
    wanted = {"topic": "shop/+/orders/#", "group": f"v{version[0]}", "mqtt": version}
    rounds = []
    for number in range(3):
        broker = await reading(mosquitto, **wanted)
        if number == 0:
            await send(mosquitto, "shop/eu/orders/new", b"one", qos=1)
            await send(mosquitto, "shop/eu/orders/new", b"two", qos=2)
        found = [each for _ in range(2) for each in await broker.fetch()]
        rounds.append([(each.topic, each.body) for each in found])
        if number == 1:
            await broker.done(found)
        await broker.close()

    both = [("shop/eu/orders/new", b"one"), ("shop/eu/orders/new", b"two")]
    assert rounds == [both, both, []]


@pytest.mark.parametrize(("start", "found"), [("oldest", [b"kept"]), ("newest", [])])
async def test_a_session_that_is_new_begins_with_what_is_retained_or_with_what_comes(
    mosquitto: Mosquitto, start: str, found: list[bytes]
) -> None:
    await send(mosquitto, "orders", b"kept", qos=1, retain=True)
    broker = await reading(mosquitto, topic="orders", group="new", start=start)

    assert [each.body for each in await broker.fetch()] == found
    await broker.close()


async def test_a_message_without_an_id_that_is_delivered_again_is_the_same_event(
    running: Running, mosquitto: Mosquitto
) -> None:
    source = await running.add(**source_of(mosquitto))
    await mosquitto.publish_without_ids([event(1), event(1)])
    names = []
    for _ in range(2):  # as two processes, of which the first was killed before it could acknowledge
        naming = Naming(running.parts.queues.states, source.id)
        broker = await reading(mosquitto, topic="orders")
        found = [each for _ in range(2) for each in await broker.fetch()]
        names.append([each.id for each in await naming.name(found)])
        await broker.close()
    await mosquitto.publish_without_ids([event(1)])
    async with in_background(running.parts.queues.run()):
        await until(lambda: _of(running, 3))
        await until(lambda: _all_read(mosquitto))

    assert names[0] == names[1]
    assert len(set(names[0])) == 2
    assert numbers(await running.events()) == [1, 1, 1]


async def test_an_equal_message_under_a_number_of_a_session_that_is_gone_is_another_event(
    running: Running, mosquitto: Mosquitto
) -> None:
    await running.add(**source_of(mosquitto))
    bridge = running.parts.queues
    await mosquitto.publish_without_ids([event(1)])
    async with in_background(bridge.run()):
        await until(lambda: _of(running, 1))
        await until(lambda: _all_read(mosquitto))
    await mosquitto.forget()
    async with in_background(bridge.run()):
        await until(lambda: _connected(running))
    await mosquitto.publish_without_ids([event(1)])
    broker = await reading(mosquitto, topic="orders")
    (lost,) = await broker.fetch()
    await broker.close()
    async with in_background(bridge.run()):
        await until(lambda: _of(running, 2))

    assert lost.slot == "1"
    assert numbers(await running.events()) == [1, 1]


async def test_a_worker_that_is_killed_over_messages_without_ids_loses_and_doubles_nothing(
    running: Running, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    many = 1000
    await running.add(**source_of(mosquitto, prefetch=20))
    await mosquitto.publish_without_ids([event(number) for number in range(many)])
    first = _worker(running.settings, tmp_path / "first")
    await until(lambda: _of(running, 100))
    first.kill()
    first.wait()
    left = await mosquitto.waiting()
    second = _worker(running.settings, tmp_path / "second")
    try:
        await until(lambda: _all_read(mosquitto))
    finally:
        second.terminate()

    assert second.wait(20) == 0
    assert left > 0
    assert sorted(numbers(await running.events())) == list(range(many))


async def test_a_message_is_the_same_event_when_the_broker_has_not_heard_that_many_were_acknowledged(
    running: Running, mosquitto: Mosquitto
) -> None:
    source = await running.add(**source_of(mosquitto))
    await mosquitto.publish_without_ids([event(number) for number in range(20)])
    names = []
    for _ in range(2):  # as two processes, of which the first was killed with its answers on their way
        naming = Naming(running.parts.queues.states, source.id)
        broker = await reading(mosquitto, topic="orders")
        found: list[Message] = []
        while len(found) < 20:
            found += await broker.fetch()
        named = [(await naming.name([each]))[0] for each in found]
        for each in named:
            await naming.acknowledged([each])
        names.append([each.id for each in named])
        await broker.close()

    assert names[0] == names[1]
    assert len(set(names[0])) == 20


async def test_ids_are_forgotten_once_many_more_were_acknowledged(running: Running, redis: Redis) -> None:
    for first in range(0, REMEMBERED + 2000, 1000):
        if first % 4000 == 0:  # another worker
            naming = Naming(running.parts.queues.states, "q1")
        slots = range(first, first + 1000)
        named = await naming.name([Message(b"", "orders", "", None, slot=str(slot)) for slot in slots])
        await naming.acknowledged(named)

    assert await redis.hlen(running.names.queue_ids("q1")) == REMEMBERED


async def test_an_id_in_the_user_properties_is_the_messages(mosquitto: Mosquitto) -> None:
    await mosquitto.publish([event(1)], {"message_id": "m1"})
    broker = await reading(mosquitto, topic="orders")
    (found,) = await broker.fetch()
    await broker.close()

    assert (found.id, found.slot) == ("m1", "")


async def _all_read(mosquitto: Mosquitto) -> bool:
    return await mosquitto.waiting() == 0


async def test_messages_without_a_promise_are_not_held_without_end(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "_MOST_WAITING", 3)
    broker = await reading(mosquitto, topic="orders")
    for number in range(5):
        await send(mosquitto, "orders", event(number), qos=0)
    await send(mosquitto, "orders", event(5), qos=1)
    come: asyncio.Queue[Any] = broker._client.come  # type: ignore[attr-defined]

    async def all_have_come() -> bool:
        return come.qsize() == 4

    await until(all_have_come)
    found = await broker.fetch()
    await broker.close()

    assert [each.body for each in found] == [event(0), event(1), event(2), event(5)]
