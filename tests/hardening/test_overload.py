"""Load shedding: bots first, then anonymous repeat hits, then all; what a sample keeps carries its rate."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest

from collector.model import Reason, Refusal
from collector.overload import Overload, Stage, is_drawn, next_stage
from collector.protocols import native
from collector.protocols.batch import Limits
from collector.settings import Settings
from collector.sources import Catalogue, check_form
from collector.store import Names, open_store
from tests.conftest import hit, run_collector, until, web_source
from tests.faults.rig import CollectorProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from collector.model import Hit

VIEW = {"batch": [{"type": "page"}]}
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:146.0) Gecko/20100101 Firefox/146.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_CLIENTS = 600


@pytest.mark.parametrize(
    ("stage", "before", "late", "limit", "then"),
    [
        (Stage.NOBODY, 0, 5, 1, Stage.NOBODY),  # a hiccup
        (Stage.NOBODY, 5, 5, 1, Stage.BOTS),
        (Stage.BOTS, 1, 1, 1, Stage.REPEATS),
        (Stage.REPEATS, 1, 9, 1, Stage.ALL),
        (Stage.ALL, 9, 9, 1, Stage.ALL),
        (Stage.ALL, 9, 0, 1, Stage.ALL),
        (Stage.ALL, 0.4, 0.4, 1, Stage.REPEATS),
        (Stage.REPEATS, 0.7, 0.7, 1, Stage.REPEATS),  # neither late nor calm
        (Stage.BOTS, 0, 0, 1, Stage.NOBODY),
        (Stage.NOBODY, 0, 0, 1, Stage.NOBODY),
        (Stage.NOBODY, 9, 9, 0, Stage.NOBODY),  # switched off
    ],
)
def test_two_looks_that_agree_lead_one_stage_up_or_down(
    stage: Stage, before: float, late: float, limit: float, then: Stage
) -> None:
    assert next_stage(stage, before, late, limit) is then


def overload_at(stage: Stage, **settings: Any) -> Overload:
    overload = Overload(Settings(overload_ms=1000, **settings))
    while overload.stage < stage:
        overload.look(2)
    return overload


def visit(agent: str, body: Any = VIEW, **fields: Any) -> Hit:
    return hit(body, headers={"User-Agent": agent}, address="203.0.113.7", **fields)


def judged(overload: Overload, arrived: Hit) -> Any:
    """Return the reason why a hit is shed, or how many of its events are kept and what rate they carry."""
    try:
        overload.admit(arrived)
        batch = native.beacon(arrived, Limits())
        overload.thin(batch, arrived)
    except Refusal as refusal:
        return refusal.reason if refusal.retry_after else "no time to wait"
    assert {refusal.reason for _, refusal in batch.refused} <= {Reason.SAMPLED}
    return len(batch.events), batch.sampled


KNOWN = {"batch": [{"type": "page"}], "userId": "u1"}
SERVER = web_source(id="rest1", bridge="rest")
QUEUE = web_source(id="queue1", bridge="queue")
ORDER = [
    # a bot, a new visitor, one that comes again, one that is known by name, a server, a queue
    (Stage.NOBODY, [True, True, True, True, True, True]),
    (Stage.BOTS, [False, True, True, True, True, True]),
    (Stage.REPEATS, [False, True, False, True, True, True]),
    (Stage.ALL, [False, False, False, False, False, True]),
]


@pytest.mark.parametrize(("stage", "taken"), ORDER)
def test_bots_are_shed_first_then_anonymous_repeat_hits_then_all(stage: Stage, taken: list[bool]) -> None:
    overload = overload_at(stage)
    hits = [
        visit(GOOGLEBOT),
        visit(FIREFOX),
        visit(FIREFOX),
        visit(FIREFOX, KNOWN),
        visit(GOOGLEBOT, source=SERVER),
        visit(FIREFOX, source=QUEUE),
    ]

    assert [judged(overload, each) is not Reason.OVERLOADED for each in hits] == taken


def test_a_sample_keeps_its_share_says_its_rate_and_draws_the_same_again() -> None:
    overload = overload_at(Stage.REPEATS, overload_sample=0.25)
    many = visit(FIREFOX, {"batch": [{"type": "page", "messageId": f"m{n}"} for n in range(400)]})
    assert judged(overload, many) == (400, 1)

    kept, rate = judged(overload, many)
    assert rate == 0.25
    assert 70 < kept < 130
    assert judged(overload, many) == (kept, rate)


def test_a_draw_is_by_the_id_alone() -> None:
    drawn = {number for number in range(10_000) if is_drawn(str(number), 0.1)}

    assert 800 < len(drawn) < 1200
    assert not is_drawn("m", 0)


async def test_what_a_sample_keeps_carries_its_rate_into_the_stream(settings: Settings) -> None:
    update = {"overload_ms": 1e9, "overload_sample": 0.5}
    async with run_collector(settings.model_copy(update=update)) as running:
        source = await running.add()
        running.parts.pipeline.overload.stage = Stage.REPEATS
        batch = {"batch": [{"type": "page", "messageId": f"m{n}"} for n in range(100)]}
        await running.post(source.id, VIEW, User_Agent=FIREFOX)
        answer = await running.post(source.id, batch, User_Agent=FIREFOX)
        rates = [event["collector"].get("sampled") for event in await running.events()]

        assert answer.status == 204
        assert rates[0] is None
        assert set(rates[1:]) == {0.5}
        assert len(rates) - 1 == sum(is_drawn(f"m{n}", 0.5) for n in range(100))


async def test_a_worker_that_is_late_sheds_bots_before_others_and_all_are_taken_when_it_is_calm(
    redis_url: str, tmp_path: Path
) -> None:
    """A real flood of more senders than one worker can answer within some milliseconds."""
    settings = Settings(redis_url=redis_url, data=tmp_path, namespace="overload")
    async with open_store(settings) as redis:
        await Catalogue(redis, Names("overload")).add(check_form({"name": "Web", "id": "web1"}))
    options = {"namespace": "overload", "overload_ms": "8"}
    collector = CollectorProcess(tmp_path, redis_url, {}, **options)
    await collector.start()
    try:
        seen: list[tuple[str, int]] = []
        async with flood(collector.port, seen):

            async def shed() -> bool:
                return ("bot", 503) in seen and ("person", 503) in seen

            await until(shed)
        bots, persons = (
            next(at for at, answer in enumerate(seen) if answer == (who, 503)) for who in ("bot", "person")
        )
        told = await collector.metrics()

        async def calm() -> bool:
            return await status(collector.port, GOOGLEBOT) == 204

        await until(calm)
        assert bots < persons
        assert ("person", 204) in seen[bots:persons]  # bots were refused, and persons served
        assert re.search(r'refusals_total\{reason="overloaded",source="web1"\} [1-9]', told)
        assert {answer for _, answer in seen} <= {204, 503}
    finally:
        await collector.stop()


@asynccontextmanager
async def flood(port: int, seen: list[tuple[str, int]]) -> AsyncIterator[None]:
    """Let many senders send without a pause, a tenth of them bots, each person from a program of its own."""
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(partial(Sender, number, seen), "127.0.0.1", port)
        for number in range(_CLIENTS)
    ]
    try:
        yield
    finally:
        for transport, _ in made:
            transport.abort()


class Sender(asyncio.Protocol):
    """A client that sends its hit again at each answer: that costs it less than it costs the worker."""

    def __init__(self, number: int, seen: list[tuple[str, int]]) -> None:
        self._who = "person" if number % 10 else "bot"
        self._request = request(f"{FIREFOX} {number}" if number % 10 else GOOGLEBOT)
        self._seen = seen

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._seen.append((self._who, int(data[9:12])))
        self._transport.write(self._request)


def request(agent: str, *more: str) -> bytes:
    body = orjson.dumps(VIEW)
    head = ["POST /e/web1 HTTP/1.1", "Host: a", f"User-Agent: {agent}", "Accept-Language: de", *more]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "\r\n"]).encode() + body


async def status(port: int, agent: str) -> int:
    """Return the status of the answer to one hit over a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(agent, "Connection: close"))
    try:
        return int((await reader.read())[9:12])
    finally:
        writer.close()
