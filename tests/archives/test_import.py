"""Imports into a source: each event once whatever happens, by the source's rules, at the archive's times."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from backports import zstd
from redis.asyncio import Redis

from collector.archives import FORMATS, ArchiveError, Opened
from collector.archives.importer import Importer
from collector.store.positions import Position, Positions
from tests.conftest import run_collector, until
from tests.faults.servers import Server

if TYPE_CHECKING:
    from pathlib import Path

    from collector.archives.importer import Refused
    from collector.model import Source
    from collector.settings import Settings
    from tests.conftest import Running

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"
LINE = '{} - - [10/Oct/2025:13:55:36 +0200] "GET /{} HTTP/1.1" 200 9 "-" "{}"'


def events(count: int, start: int = 0) -> bytes:
    rows = (
        {"type": "page", "anonymousId": f"v{n}", "timestamp": 1760097336000 + n} for n in range(start, count)
    )
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


class Shop:
    """A source and what imports into it."""

    def __init__(self, running: Running, source: Source, redis: Redis) -> None:
        self.running = running
        self.source = source
        self.positions = Positions(redis, running.names, source.id)
        self.refused: list[Refused] = []

    async def take(
        self, path: Path, kind: str = "native", *, again: bool = False, stop_after: int = 0
    ) -> Position:
        importer = Importer(
            self.running.parts.pipeline,
            self.positions,
            self.source,
            kind,
            FORMATS[kind],
            site="https://shop.example",
            refused=self.refused.append,
        )

        def told(position: Position) -> None:
            if stop_after and position.number >= stop_after:
                importer.stop()

        with Opened(str(path)) as archive:
            return await importer.run(archive, told, again=again)


async def shop(running: Running, redis: Redis, **fields: Any) -> Shop:
    return Shop(running, await running.add(**fields), redis)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
async def test_an_archive_is_in_the_stream_once_however_often_it_is_imported(
    running: Running, redis: Redis, tmp_path: Path, pack: Any
) -> None:
    here = await shop(running, redis)
    path = tmp_path / "archive"
    path.write_bytes(pack(events(1200)))

    first = await here.take(path)
    second = await here.take(path)
    again = await here.take(path, again=True)

    assert (first.done, first.counts) == (True, {"stored": 1200})
    assert second == first
    assert again.counts == {"duplicate": 1200}
    stored = await running.events()
    assert len({event["messageId"] for event in stored}) == len(stored) == 1200
    assert stored[7]["timestamp"] == "2025-10-10T11:55:36.007Z"


async def test_an_import_goes_on_where_it_was_stopped_and_takes_what_the_archive_has_grown_by(
    running: Running, redis: Redis, tmp_path: Path
) -> None:
    here = await shop(running, redis)
    path = tmp_path / "archive"
    path.write_bytes(events(1200))

    stopped = await here.take(path, stop_after=500)
    ended = await here.take(path)
    path.write_bytes(events(1300))
    grown = await here.take(path)

    assert (stopped.done, stopped.number) == (False, 500)
    assert (ended.done, ended.number, ended.counts) == (True, 1200, {"stored": 1200})
    assert grown.counts == {"stored": 1300}
    assert len(await running.events()) == 1300


async def test_a_line_that_was_not_whole_yet_is_taken_once_it_is(
    running: Running, redis: Redis, tmp_path: Path
) -> None:
    here = await shop(running, redis)
    path = tmp_path / "archive"
    whole = events(3)

    path.write_bytes(whole[:-20])
    early = await here.take(path)
    path.write_bytes(whole + b'{"type":"page"}')
    later = await here.take(path)
    again = await here.take(path)

    assert (early.counts, later.counts) == ({"stored": 2, "refused": 1}, {"stored": 4, "refused": 1})
    assert again == later


async def test_archives_that_begin_alike_are_not_taken_for_each_other(
    running: Running, redis: Redis, tmp_path: Path
) -> None:
    """An export of nothing is the beginning of every other one; and an empty file is that of any."""
    here = await shop(running, redis)
    head = b"2Path,Title,Event,Date\n"
    row = b"/%d,A,false,2025-10-10T11:55:36Z\n"
    contents = [b"", head, head + row % 1 + row % 2, head + row % 3 + row % 4 + row % 5]
    counts = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}.csv"
        path.write_bytes(content)
        counts.append((await here.take(path, "goatcounter")).counts)

    assert counts == [{}, {}, {"stored": 2}, {"stored": 3}]
    assert (await here.take(path, "goatcounter", again=True)).counts == {"duplicate": 3}
    assert (await here.take(path, "goatcounter")).counts == {"duplicate": 3}


async def test_what_breaks_off_is_told_of_and_what_came_before_is_safe(
    running: Running, redis: Redis, tmp_path: Path
) -> None:
    here = await shop(running, redis)
    path = tmp_path / "archive.gz"
    whole = gzip.compress(os.urandom(70_000).hex().encode() + b"\n" + events(3000))
    path.write_bytes(whole[:-30])

    with pytest.raises(ArchiveError, match=r"archive\.gz is damaged or breaks off"):
        await here.take(path)
    path.write_bytes(whole)
    position = await here.take(path)

    assert position.counts == {"stored": 3000, "refused": 1}


async def test_refused_lines_are_counted_by_reason_and_kept_with_their_place(
    running: Running, redis: Redis, tmp_path: Path
) -> None:
    here = await shop(running, redis)
    path = tmp_path / "archive"
    path.write_bytes(b'{"type":"page"}\n{\n{"type":"nothing"}\n{"type":"track"}\n{"type":"page"}\n')

    position = await here.take(path)

    assert position.counts == {"stored": 2, "refused": 3}
    reasons = {reason: (times, number) for reason, (times, number, _) in position.reasons.items()}
    assert reasons == {"not_json": (1, 2), "unknown_type": (1, 3), "missing_field": (1, 4)}
    assert [(unit.number, refusal.reason.code) for unit, refusal in here.refused] == [
        (2, "not_json"),
        (3, "unknown_type"),
        (4, "missing_field"),
    ]


async def test_a_log_is_seen_through_the_eyes_of_the_pixel(
    running: Running, redis: Redis, tmp_path: Path
) -> None:
    here = await shop(running, redis)
    path = tmp_path / "access.log"
    lines = [
        LINE.format("203.0.113.7", "a", FIREFOX),
        LINE.format("203.0.113.7", "style.css", FIREFOX),
        LINE.format("203.0.113.7", "b", FIREFOX),
        LINE.format("203.0.113.8", "a", "Googlebot/2.1"),
        LINE.format("203.0.113.7", "a", FIREFOX).replace("10/Oct", "11/Oct"),
    ]
    path.write_text("\n".join(lines))

    position = await here.take(path, "log")

    assert position.counts == {"stored": 4, "left out": 1}
    first, second, bot, next_day = await running.events()
    assert first["context"]["page"]["url"] == "https://shop.example/a"
    assert first["context"]["browser"]["name"] == "Firefox"
    assert "bot" not in first["context"]
    assert bot["context"]["bot"]["is"] is True
    assert first["anonymousId"] == second["anonymousId"] != next_day["anonymousId"]
    assert "ip" not in first["context"]
    assert first["receivedAt"] == first["timestamp"] == "2025-10-10T11:55:36.000Z"


async def test_archives_speak_for_the_client_that_they_name_in_a_source_of_any_bridge(
    running: Running, redis: Redis, tmp_path: Path
) -> None:
    log, export = tmp_path / "access.log", tmp_path / "posthog.ndjson"
    log.write_text(LINE.format("203.0.113.7", "a", "Googlebot/2.1"))
    row = {"$current_url": "https://x.example/", "$raw_user_agent": FIREFOX, "$ip": "203.0.113.7"}
    export.write_bytes(orjson.dumps({"event": "$pageview", "distinct_id": "d", "properties": row}))
    privacy = {"address": "network", "visitors": "cookie"}

    await (await shop(running, redis, bridge="rest", privacy=privacy)).take(log, "log")
    await (await shop(running, redis, privacy=privacy)).take(export, "posthog")

    page, view = await running.events()
    assert page["context"]["bot"]["name"] == "Googlebot"
    assert view["context"]["browser"]["name"] == "Firefox"
    assert [event["context"]["ip"] for event in (page, view)] == ["203.0.113.0"] * 2


async def test_the_sources_privacy_and_rules_hold_for_archives(
    running: Running, redis: Redis, tmp_path: Path
) -> None:
    rules = [{"name": "no-b", "url": "*/b", "drop": True}]
    asking = await shop(running, redis, privacy={"consent": "required"})
    ruled = await shop(running, redis, enrichment={"rules": rules, "bots": "drop"})
    path = tmp_path / "access.log"
    path.write_text(
        "\n".join(
            [
                LINE.format("203.0.113.7", "a", FIREFOX),
                LINE.format("203.0.113.7", "b", FIREFOX),
                LINE.format("203.0.113.7", "a", "Googlebot/2.1"),
            ]
        )
    )

    asked = (await asking.take(path, "log")).reasons["consent_missing"]
    assert asked[:2] == (3, 1)
    dropped = await ruled.take(path, "log")

    assert dropped.counts == {"stored": 1, "dropped": 2}


async def test_an_archives_visitors_stay_apart_in_a_cookieless_source_but_lose_their_lasting_ids(
    running: Running, redis: Redis, tmp_path: Path
) -> None:
    here = await shop(running, redis)
    path = tmp_path / "archive"
    path.write_bytes(events(2))

    await here.take(path)

    stored = await running.events()
    visitors = {event["anonymousId"] for event in stored}
    assert len(visitors) == 2
    assert visitors.isdisjoint({"v0", "v1"})


async def test_an_import_uses_up_no_quota(running: Running, redis: Redis, tmp_path: Path) -> None:
    here = await shop(running, redis, quota_day=10)
    path = tmp_path / "archive"
    path.write_bytes(events(100))

    assert (await here.take(path)).counts == {"stored": 100}
    answer = await running.post(here.source.id, {"batch": [{"type": "page"}]})

    assert answer.status == 204


async def test_while_redis_hangs_an_import_waits_and_then_goes_on(settings: Settings, tmp_path: Path) -> None:
    server = Server(tmp_path / "redis").start()
    alone = settings.model_copy(update={"redis_url": server.url, "redis_timeout_seconds": 1.0})
    path = tmp_path / "archive"
    path.write_bytes(events(3000))
    try:
        async with (
            run_collector(alone) as running,
            Redis.from_url(server.url, protocol=2) as redis,
        ):
            here = await shop(running, redis)
            importing = asyncio.create_task(here.take(path))
            await until(lambda: redis.xlen(running.names.stream(0)))
            server.pause()
            await until(lambda: _strained(running))
            server.go_on()
            position = await importing
            stored = await running.events()
    finally:
        server.close()

    assert (position.done, position.number) == (True, 3000)
    assert sum(position.counts.values()) == 3000
    assert len({event["messageId"] for event in stored}) == len(stored) == 3000


async def _strained(running: Running) -> bool:
    return running.parts.pipeline.strained


def command(settings: Settings, *arguments: str) -> list[str]:
    flags = ("--redis-url", settings.redis_url, "--data", str(settings.data / "import"))
    return [sys.executable, "-m", "collector", "import", *arguments, *flags]


def environment(settings: Settings) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HEADWATER_NAMESPACE": settings.namespace}


async def test_an_import_that_is_killed_goes_on_beside_a_live_collector(
    running: Running, redis: Redis, tmp_path: Path
) -> None:
    """Kill -9 in the middle, then the same command again: nothing lost, nothing twice."""
    source = await running.add(id="shop")
    path = tmp_path / "archive.gz"
    path.write_bytes(gzip.compress(events(8000), 1))
    arguments = command(running.settings, "shop", str(path), "--format", "native")
    stream = running.names.stream(0)
    killed = await asyncio.create_subprocess_exec(*arguments, env=environment(running.settings))

    async def half() -> bool:
        await running.post(source.id, {"batch": [{"type": "track", "event": "Live"}]})
        return bool(await redis.xlen(stream) > 1500)

    await until(half)
    killed.send_signal(signal.SIGKILL)
    await killed.wait()
    ended = await asyncio.to_thread(
        subprocess.run,
        arguments,
        env=environment(running.settings),
        capture_output=True,
        text=True,
        check=True,
    )

    stored = await running.events()
    ids = [event["messageId"] for event in stored if event["type"] == "page"]
    assert len(set(ids)) == len(ids) == 8000
    assert any(event["type"] == "track" for event in stored)
    assert ended.stdout.startswith(f"{path}: stored ")
    assert ended.stdout.count("\n") == 1


async def test_the_command_tells_what_it_did_and_keeps_what_was_refused(
    running: Running, tmp_path: Path
) -> None:
    await running.add(id="shop")
    kept = tmp_path / "refused.ndjson"
    arguments = command(running.settings, "shop", "-", "--format", "segment", "--refused", str(kept))
    given = b'{"type":"page"}\n{"type":"x"}\n'

    told = await asyncio.to_thread(
        subprocess.run,
        arguments,
        input=given,
        env=environment(running.settings),
        capture_output=True,
        check=True,
    )

    first, second = told.stdout.decode().splitlines()
    assert first == "standard input: stored 1, refused 1."
    assert second.startswith("  unknown_type 1, first in 2: type must be one of the known event types.")
    row = orjson.loads(kept.read_bytes())
    assert (row["number"], row["reason"], row["raw"]) == (2, "unknown_type", '{"type":"x"}')


async def test_an_import_of_which_all_is_refused_fails_and_says_so(running: Running, tmp_path: Path) -> None:
    await running.add(id="shop")
    vain, good = tmp_path / "vain.ndjson", tmp_path / "good.ndjson"
    vain.write_bytes(b'{"type":"x"}\n' * 3)
    good.write_bytes(events(2))

    failed = await asyncio.to_thread(
        subprocess.run,
        command(running.settings, "shop", str(vain), str(good), "--format", "native"),
        env=environment(running.settings),
        capture_output=True,
        text=True,
        check=False,
    )

    assert failed.returncode == 1
    assert f"{vain}: refused 3." in failed.stdout
    assert f"{good}: stored 2." in failed.stdout
    assert failed.stderr == (
        f"Error: All of {vain} was refused, for the reasons above: check the format and the source.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("shop", "/none", "--format", "native"), "/none cannot be read: No such file or directory."),
        (("nobody", "-", "--format", "native"), "No source is called 'nobody'"),
    ],
)
async def test_a_failure_is_one_line(running: Running, arguments: tuple[str, ...], text: str) -> None:
    await running.add(id="shop")

    failed = await asyncio.to_thread(
        subprocess.run,
        command(running.settings, *arguments),
        stdin=subprocess.DEVNULL,
        env=environment(running.settings),
        capture_output=True,
        text=True,
        check=False,
    )

    assert failed.returncode == 1
    assert text in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 1
