"""The numbers behind the charts: right under several workers, each counted once, bounded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from collector.model import Event, Outcome, Reason, Refusal
from collector.stats import REPORTS, Counters, Figures, Overview
from collector.stats.report import _MOST
from collector.stats.tally import Tally
from collector.store import Names
from tests.conftest import until

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from collector.settings import Settings
    from tests.conftest import Running

PHONE = {"browser": {"name": "Firefox"}, "device": {"type": "phone"}, "location": {"country": "CH"}}


def event(kind: str = "track", visitor: str = "v1", **fields: Any) -> Event:
    context = fields.pop("context", {})
    return Event(0, "id", kind, visitor, {"type": kind, "context": context, **fields})


def view(path: str, visitor: str = "v1", **context: Any) -> Event:
    return event("page", visitor, context={"page": {"path": path}, **context})


def count(counters: Counters, *events: Event, verdict: str = "stored", source: str = "web1") -> None:
    counters.events(source, events, [Outcome(0, verdict)] * len(events))


async def read(redis: Redis, settings: Settings, report: str = "hour", source: str = "web1") -> Overview:
    return await Figures(redis, Names(settings.namespace)).overview(source, REPORTS[report])


@pytest.fixture
def counters(redis: Redis, settings: Settings) -> Counters:
    return Counters(redis, Names(settings.namespace))


@pytest.mark.parametrize("report", REPORTS)
async def test_each_report_has_events_visitors_and_lists(
    redis: Redis, settings: Settings, counters: Counters, report: str
) -> None:
    came = {
        "referrer": {"medium": "search", "source": "Google"},
        "campaign": {"source": "news", "name": "may"},
    }
    count(counters, view("/a", **PHONE, **came), view("/a", "v2", **PHONE), view("/b"))
    count(counters, event(event="Order Completed"))
    counters.refused("web1", Refusal(Reason.ORIGIN_FORBIDDEN))
    await counters.flush()
    told = await read(redis, settings, report)

    assert (told.total("events"), told.total("views"), told.total("refused"), told.visitors) == (4, 3, 1, 2)
    assert told.tops["pages"].values == [("/a", 2), ("/b", 1)]
    assert told.tops["events"].values == [("page", 3), ("Order Completed", 1)]
    assert told.tops["browsers"].values == [("Firefox", 2)]
    assert told.tops["devices"].values == [("phone", 2)]
    assert told.tops["countries"].values == [("CH", 2)]
    assert told.tops["referrers"].values == [("Google", 1)]
    assert told.tops["campaigns"].values == [("news / may", 1)]
    assert told.tops["reasons"].values == [("origin_forbidden", 1)]


async def test_the_counts_of_workers_add_up_and_a_visitor_of_both_is_one(
    redis: Redis, settings: Settings
) -> None:
    for visitor in ("v1", "v2"):
        worker = Counters(redis, Names(settings.namespace))
        count(worker, view("/a", "v1"), view("/a", visitor))
        await worker.flush()
    told = await read(redis, settings)

    assert (told.total("events"), told.visitors) == (4, 2)


async def test_a_bot_counts_as_a_bot_and_in_nothing_that_tells_of_people(
    redis: Redis, settings: Settings, counters: Counters
) -> None:
    count(counters, view("/a", bot={"is": True, "name": "Googlebot"}))
    await counters.flush()
    told = await read(redis, settings)

    assert (told.total("events"), told.total("bots"), told.visitors) == (1, 1, 0)
    assert told.tops["bots"].values == [("Googlebot", 1)]
    assert told.tops["pages"].values == []


async def test_a_duplicate_is_no_event(redis: Redis, settings: Settings, counters: Counters) -> None:
    count(counters, view("/a"), verdict="duplicate")
    await counters.flush()
    told = await read(redis, settings)

    assert (told.total("events"), told.total("duplicate")) == (0, 1)


async def test_sums_whose_answer_was_lost_are_not_added_twice(
    redis: Redis, settings: Settings, counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = counters._call

    async def lost(*command: Any) -> None:
        monkeypatch.undo()
        await call(*command)
        raise RedisConnectionError("the answer is lost")

    await counters.flush()  # the script is known now
    count(counters, view("/a"))
    monkeypatch.setattr(counters, "_call", lost)
    await counters.flush()
    count(counters, view("/b"))
    await counters.flush()
    await counters.flush()
    told = await read(redis, settings)

    assert told.tops["pages"].values == [("/a", 1), ("/b", 1)]


async def test_what_is_often_stays_in_a_full_list(
    redis: Redis, settings: Settings, counters: Counters
) -> None:
    for number in range(3):
        pages = [view(f"/{number}/{n}") for n in range(_MOST)]
        count(counters, *pages, *[view("/home")] * 20)
        await counters.flush()
    told = (await read(redis, settings)).tops["pages"]

    assert told.values[0][0] == "/home"
    assert 60 <= told.values[0][1] <= 63, "never too low, and too high by little"
    assert not told.exact
    top = f"{Names(settings.namespace).stats('web1')}:top:86400:{int(time.time() // 86400)}:pages"
    assert await redis.zcard(top) == _MOST


async def test_every_key_ends_by_itself(redis: Redis, settings: Settings, counters: Counters) -> None:
    count(counters, view("/a", **PHONE))
    await counters.flush()
    keys = [key async for key in redis.scan_iter(f"{settings.namespace}:*")]

    assert len(keys) > 10
    assert [key for key in keys if await redis.ttl(key) < 0] == []


async def test_values_that_are_no_text_are_left_out(
    redis: Redis, settings: Settings, counters: Counters
) -> None:
    odd = {"browser": {"name": {"a": 1}}, "device": "phone", "location": [], "referrer": 7, "campaign": None}
    count(counters, event("page", event=["x"], context={"page": "here", "bot": "yes", **odd}))
    await counters.flush()
    told = await read(redis, settings)

    assert {name: top.values for name, top in told.tops.items() if top.values} == {"events": [("page", 1)]}


async def test_hits_through_the_door_are_counted_with_the_source_that_refused_them(
    running: Running, redis: Redis
) -> None:
    source = await running.add(settings={"origins": ["https://shop.example"]})
    body = {"batch": [{"type": "page", "messageId": "m1"}]}
    await running.post(source.id, body, Origin="https://shop.example")
    await running.post(source.id, body, Origin="https://other.example")
    await running.parts.catalogue.change(source.id, {"enabled": False})
    await running.post(source.id, body)

    figures = Figures(redis, running.names)

    async def counted() -> dict[str, int]:
        minutes = (await figures.recent([source.id]))[source.id]
        sums = {name: sum(counts.get(name, 0) for _, counts in minutes) for name in ("events", "refused")}
        return sums if sums["refused"] > 1 else {}

    assert await until(counted) == {"events": 1, "refused": 2}
    told = await figures.overview(source.id, REPORTS["hour"])
    assert dict(told.tops["reasons"].values) == {"origin_forbidden": 1, "source_disabled": 1}


def test_each_event_of_a_hit_counts_by_its_own_context() -> None:
    shared: dict[str, Any] = {"browser": {"name": "Firefox"}}
    bot: dict[str, Any] = {"browser": {"name": "Chrome"}, "bot": {"is": True, "kind": "ai"}}
    rows = [("v1", shared), ("v1", shared), ("v2", bot), ("v1", shared), ("v3", {})]
    tally = Tally()

    tally.events([event(visitor=who, event="E", context=context) for who, context in rows])

    assert tally.counts == {"events": 5, "bots": 1}
    assert tally.tops == {("events", "E"): 4, ("browsers", "Firefox"): 3, ("bots", "ai bot"): 1}
    assert tally.visitors == {"v1", "v3"}
