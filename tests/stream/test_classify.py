"""The worker that looks at clicks again: what it finds is appended once, and the report counts by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from collector.links import Mark
from collector.sources.email import signer
from collector.stream.classify import GROUP, Classifier
from collector.stream.consumer import Consumer
from collector.stream.mail_report import report_of
from tests.bridges.test_email import SHOP, follow, mail_source
from tests.test_email_commands import headwater

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from collector.model import Source
    from collector.settings import Settings
    from tests.conftest import Running

AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0"}


async def clicked(running: Running, source: Source, recipient: str, *links: int) -> None:
    for link in links:
        mark = Mark("spring", recipient, link, f"{SHOP}{link or 1}")
        await follow(running, signer(source).sign("click", mark), headers=AGENT)


async def classify(running: Running, redis: Redis, *, group: str = GROUP) -> int:
    """Read all events through a group once, and return how many corrections were appended."""
    consumer = Consumer(redis, running.names, group)
    classifier = Classifier(redis, running.names)
    waiting, corrected = len(await running.events()), 0
    async for batch in consumer:
        corrected += await classifier.take(batch)
        waiting -= len(batch)
        if waiting <= 0:
            consumer.stop()
    return corrected


async def test_a_burst_is_corrected_and_a_person_is_not(running: Running, redis: Redis) -> None:
    source = await mail_source(running)
    await clicked(running, source, "scanned", 1, 2, 3)
    await clicked(running, source, "person", 1)

    assert await classify(running, redis) >= 3
    events = await running.events()
    corrections = [each for each in events if each["event"] == "Email Click Corrected"]
    last = {each["properties"]["corrects"]: each for each in corrections}
    clicks = [each for each in events if each["event"] == "Email Link Clicked"]

    assert set(last) == {each["messageId"] for each in clicks if each["anonymousId"] == "scanned"}
    one = last[clicks[0]["messageId"]]
    assert one["collector"]["machine"]["kind"] == "scanner"
    assert one["collector"]["machine"]["why"] == "burst"
    assert one["source"] == clicks[0]["source"]
    assert one["properties"]["link_id"] == 1


async def test_a_look_repeated_appends_nothing(running: Running, redis: Redis) -> None:
    source = await mail_source(running)
    await clicked(running, source, "scanned", 1, 2, 3)
    await classify(running, redis)

    assert await classify(running, redis, group="again") == 0


async def test_a_click_on_the_honeypot_is_corrected(running: Running, redis: Redis) -> None:
    source = await mail_source(running)
    await clicked(running, source, "scanned", 1, 0)

    await classify(running, redis)
    machines = [each["collector"].get("machine") for each in await running.events()]

    assert [each["why"] for each in machines if each] == ["honeypot", "honeypot"]


async def test_a_report_counts_without_scanners(running: Running, redis: Redis) -> None:
    source = await mail_source(running)
    await clicked(running, source, "scanned", 1, 2, 3)
    await clicked(running, source, "person", 1)
    await classify(running, redis)

    told = await report_of(redis, running.names, source, "spring", partitions=1)
    other = await report_of(redis, running.names, source, "autumn", partitions=1)

    assert (told.clicks.total, told.clicks.unique, told.clicks.human_estimated) == (4, 2, 1)
    assert told.machines == {"scanner": 3}
    assert other.clicks.total == 0


async def test_clicks_that_are_nobodys_are_left_alone(running: Running, redis: Redis) -> None:
    source = await mail_source(running)
    await running.parts.withdrawals.withdraw(source, ["r1"])
    await clicked(running, source, "r1", 1, 2, 3)

    assert await classify(running, redis) == 0


def test_worker_and_report_by_command(settings: Settings) -> None:
    headwater(settings, "source", "add", "--bridge", "email", "--name", "News", "--id", "news")
    arguments = ("email", "report", "--source", "news", "--message", "spring")

    told: dict[str, Any] = orjson.loads(headwater(settings, *arguments, "--json").output)

    assert told["opens"] == {"total": 0, "unique": 0, "unnamed": 0, "human_estimated": 0}
    assert "human (estimated)" in headwater(settings, *arguments).output
    assert "scanners" in headwater(settings, "worker", "classify", "--help").output
