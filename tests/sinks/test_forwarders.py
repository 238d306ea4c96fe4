"""Segment's and Tracardi's dialects, taken by another collector: what arrives is what was sent, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from aiohttp import web

from collector.model import OPTIONAL_STEPS
from collector.sinks import Away, Rejected, SinkError
from collector.sinks.registry import open_sink
from collector.sources.keys import add_key
from tests.conftest import run_collector
from tests.sinks.conftest import delivery, event, fill, tombstone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from redis.asyncio import Redis

    from collector.settings import Settings
    from tests.conftest import Running
    from tests.sinks.conftest import Bring

PATHS = {"segment": "/v1/batch", "tracardi": "/track"}
KEYS = {"segment": "key", "tracardi": "source"}
# What the receiver says itself of every event.
RECEIVED = ("receivedAt", "source", "collector", "originalTimestamp")


class Other:
    """Another collector, and how a sink reaches it."""

    def __init__(self, name: str, running: Running, key: str) -> None:
        self.name = name
        self.running = running
        self.to = f"http://127.0.0.1:{running.parts.ports.public}{PATHS[name]}"
        self.options = {KEYS[name]: key}

    async def arrived(self) -> list[dict[str, Any]]:
        """Return what arrived, without what the receiver adds."""
        found = await self.running.events()
        return [{key: value for key, value in each.items() if key not in RECEIVED} for each in found]


@pytest.fixture(params=["segment", "tracardi"])
async def other(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Other]:
    """Another collector for each dialect in turn."""
    away = settings.model_copy(update={"namespace": f"{settings.namespace}other"})
    async with run_collector(away) as running:
        source = await running.add(bridge="rest", enrichment={"off": list(OPTIONAL_STEPS)})
        yield Other(request.param, running, await add_key(running.parts.catalogue, source.id))


@pytest.fixture
async def sink(other: Other) -> AsyncIterator[Any]:
    """A sink that sends to the other collector."""
    opened: Any = open_sink(other.name, other.to, other.options)
    yield opened
    await opened.close()


def as_arrived(name: str, sent: bytes) -> dict[str, Any]:
    """Return what a dialect lets arrive of an event."""
    message = orjson.loads(sent)
    taken = {key: value for key, value in message.items() if key not in RECEIVED}
    if name == "segment":
        taken["context"] = {**message["context"], "segment": {"source": message["source"]}}
        return taken
    page = message["context"]["page"]
    rest = {"source": message["source"], "receivedAt": message["receivedAt"]}
    taken["context"] = {"page": page, "tracardi": {"event": {"headwater": rest}}}
    return taken


async def test_what_arrives_is_what_was_sent(other: Other, sink: Any) -> None:
    page = {"url": "https://shop.example/a", "path": "/a", "title": "Ä", "referrer": "https://x.example/"}
    batch = [
        delivery(1, sessionId="s1", context={"page": page}),
        delivery(2, properties={"total": 19.9, "items": ["a", {"b": None}], "long": 2**53 + 1}),
        delivery(3, properties={"": "\0"}, timestamp="2025-12-31T23:59:59.999Z"),
    ]

    await sink.healthy()
    for _ in range(2):  # the second time it changes nothing
        await sink.write(batch)

    arrived = sorted(await other.arrived(), key=lambda each: each["messageId"])
    assert arrived == [as_arrived(other.name, each.event) for each in batch]


async def test_a_sink_that_is_killed_again_and_again_lets_every_event_arrive_once(
    redis: Redis, settings: Settings, bring: Bring, other: Other
) -> None:
    events = [event(number) for number in range(1500)]
    await fill(redis, settings, *events)

    await bring(other.name, other.to, other.options)

    arrived = [each["messageId"] for each in await other.arrived()]
    assert sorted(arrived) == sorted(orjson.loads(each)["messageId"] for each in events)


async def test_a_key_that_is_not_known_is_one_sentence_without_it(other: Other) -> None:
    sink: Any = open_sink(other.name, other.to, {KEYS[other.name]: "wrongsecret"})

    with pytest.raises(
        SinkError, match=r"It answered 401: it does not know the (write key|source)\."
    ) as told:
        await sink.write([delivery(1)])

    await sink.close()
    assert "wrongsecret" not in str(told.value)


async def test_tombstones_are_not_sent_as_events(other: Other, sink: Any) -> None:
    await sink.write([tombstone(1, "2026-01-03T00:00:00.000Z", userId="ada")])
    await sink.write([tombstone(1, "2026-01-03T00:00:00.000Z", userId="ada"), delivery(2)])

    assert [each["messageId"] for each in await other.arrived()] == ["m2"]


@pytest.mark.parametrize(("status", "raised"), [(503, Away), (429, Away), (413, Rejected), (422, Rejected)])
@pytest.mark.parametrize("name", PATHS)
async def test_an_answer_is_waited_out_or_blames_the_batch(
    aiohttp_server: Callable[[web.Application], Awaitable[Any]],
    name: str,
    status: int,
    raised: type[Exception],
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": "7"})

    application = web.Application()
    application.router.add_post("/in", answer)
    server = await aiohttp_server(application)
    sink: Any = open_sink(name, f"http://127.0.0.1:{server.port}/in", {KEYS[name]: "k"})

    with pytest.raises(raised) as told:
        await sink.write([delivery(1)])

    await sink.close()
    assert getattr(told.value, "seconds", 7) == 7
