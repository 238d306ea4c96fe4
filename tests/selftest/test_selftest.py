"""The self-test against real collectors: sound ones pass and keep no trace, and what is broken is found."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, web
from click.testing import CliRunner

from collector.cli import cli
from collector.selftest.judge import Seen, judge, percentile
from tests.conftest import run_collector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from redis.asyncio import Redis

    from collector.settings import Settings
    from tests.conftest import Running

SMALL = ("--events", "200", "--clients", "4", "--seconds", "8")


async def selftest(settings: Settings, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "collector", "selftest", "--url", url, *SMALL, *arguments],
        env={
            "PATH": os.environ["PATH"],
            "HEADWATER_REDIS_URL": settings.redis_url,
            "HEADWATER_NAMESPACE": settings.namespace,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def address(running: Running) -> str:
    return f"http://127.0.0.1:{running.parts.ports.public}"


async def test_a_sound_collector_passes_and_no_trace_is_left(running: Running, redis: Redis) -> None:
    told = await selftest(running.settings, address(running))

    assert told.returncode == 0, told.stdout + told.stderr
    assert "200 of 200 events acknowledged" in told.stdout
    assert "200 acknowledged, 200 in the stream: 0 lost, 0 twice" in told.stdout
    keys = [key.decode() async for key in redis.scan_iter(match=f"{running.names.namespace}:*selftest*")]
    assert {key.split(":")[2] for key in keys} == {"ids", "history"}  # the former end by themselves
    assert [source.id for source in running.parts.catalogue] == []


async def test_faults_from_outside_harm_nothing(settings: Settings) -> None:
    async with run_collector(settings.model_copy(update={"body_seconds": 1.0})) as running:
        told = await selftest(settings, address(running), "--break")

    assert told.returncode == 0, told.stdout + told.stderr
    lines = {line.split()[0]: line.split()[1] for line in told.stdout.splitlines()}
    assert {name: lines[name] for name in ("slow", "cut", "malformed", "oversized")} == {
        "slow": "ok",
        "cut": "ok",
        "malformed": "ok",
        "oversized": "ok",
    }
    assert "211 acknowledged, 211 in the stream: 0 lost, 0 twice" in told.stdout


@asynccontextmanager
async def in_front(running: Running, answer: Callable[[int], int]) -> AsyncIterator[str]:
    """Yield the address of a front that passes beacons on, or answers the n-th by itself with a status."""
    count = 0

    async def pass_on(request: web.Request) -> web.Response:
        nonlocal count
        body = await request.read()
        if request.method == "POST":
            count += 1
            if status := answer(count):
                return web.Response(status=status)
        url, headers = f"{address(running)}{request.path}", request.headers
        async with (
            ClientSession() as session,
            session.request(request.method, url, data=body, headers=headers) as got,
        ):
            return web.Response(status=got.status, body=await got.read())

    app = web.Application(client_max_size=1024**3)
    app.router.add_route("*", "/{path:.*}", pass_on)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_an_installation_that_loses_what_it_acknowledges_is_found(running: Running) -> None:
    async with in_front(running, lambda number: 204 if number == 4 else 0) as url:
        told = await selftest(running.settings, url, "--seconds", "5")

    assert told.returncode == 1
    assert "200 acknowledged, 190 in the stream: 10 lost, 0 twice" in told.stdout


async def test_what_is_refused_for_a_while_is_sent_again(running: Running) -> None:
    async with in_front(running, lambda number: 503 if number % 3 == 0 else 0) as url:
        told = await selftest(running.settings, url)

    assert told.returncode == 0, told.stdout
    assert "times told to wait" in told.stdout
    assert "200 acknowledged, 200 in the stream: 0 lost, 0 twice" in told.stdout


async def test_who_does_not_answer_is_named(settings: Settings) -> None:
    told = await selftest(settings, "http://127.0.0.1:1")

    assert told.returncode == 1
    assert "Nothing answers at http://127.0.0.1:1" in told.stderr


FAILURES: list[tuple[tuple[str, ...], str]] = [
    (("http://collect.example",), "collect.example is not this machine. If it is yours to load, say --yes."),
    (("collect",), "--url 'collect' is no address"),
    (("http://127.0.0.1:1", "--events", "1000000"), "is not in the range"),
]


@pytest.mark.parametrize(("arguments", "text"), FAILURES)
def test_what_is_asked_wrongly_is_told_before_anything_is_sent(arguments: tuple[str, ...], text: str) -> None:
    told = CliRunner().invoke(cli, ["selftest", "--url", *arguments])

    assert told.exit_code == 2
    assert text in told.output


def test_the_judge_counts_what_is_missing_and_what_is_there_twice() -> None:
    seen = Seen()
    for each in ("a", "b", "b"):
        seen.times[each] += 1
        seen.at[each] = 1.0

    verdict: Any = judge({"a", "b", "c"}, seen)

    assert (verdict.acknowledged, verdict.read, verdict.lost, verdict.twice) == (3, 2, 1, 1)
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([], 0.5) == 0.0
