"""NDJSON files: each event in one of them, whatever is delivered again, killed or in the way."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import orjson
import pytest
from backports import zstd
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings

from collector.cli.sink import _position
from collector.sinks import Rejected
from collector.sinks.registry import open_sink
from collector.store import Names
from collector.stream.groups import list_groups
from tests.conftest import until
from tests.sinks.conftest import delivery, event, fill, messages, tombstone

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from collector.settings import Settings
    from tests.sinks.conftest import Bring


Start = Callable[..., subprocess.Popen[str]]


def lines(folder: Path) -> list[bytes]:
    """Return what is in the files, as a reader sees it."""
    opened = {".gz": gzip.decompress, ".zst": zstd.decompress, ".ndjson": bytes}
    paths = sorted(folder.glob("*/*.ndjson*"))
    return [line for path in paths for line in opened[path.suffix](path.read_bytes()).split(b"\n") if line]


@pytest.mark.parametrize(("name", "lines"), [("ndjson", lines), ("parquet", messages)])
async def test_a_sink_that_is_killed_again_and_again_leaves_every_event_once(
    redis: Redis,
    settings: Settings,
    bring: Bring,
    tmp_path: Path,
    name: str,
    lines: Callable[[Path], list[bytes]],
) -> None:
    events = [event(number) for number in range(3000)]
    await fill(redis, settings, *events)

    await bring(name, str(tmp_path / "out"), {})

    assert sorted(lines(tmp_path / "out")) == sorted(events)


@hypothesis_settings(max_examples=40, deadline=None)
@given(
    strategies.lists(
        strategies.lists(strategies.integers(0, 30), min_size=1, max_size=20, unique=True), max_size=8
    )
)
def test_whatever_is_delivered_again_in_whatever_batches_is_there_once(batches: list[list[int]]) -> None:
    with TemporaryDirectory() as folder:
        sink = open_sink("ndjson", folder, {})
        for batch in batches:
            sink._folder.write([delivery(number) for number in batch])  # type: ignore[attr-defined]

        given = {number for batch in batches for number in batch}
        assert sorted(lines(Path(folder))) == sorted(event(number) for number in given)


async def test_a_file_is_of_one_day_and_partition_and_named_after_its_entries(tmp_path: Path) -> None:
    await open_sink("ndjson", str(tmp_path), {}).write([delivery(1), delivery(2), delivery(86_400)])

    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")) == [
        "2026-01-02/events-0-1767312001000-0_1767312002000-0.ndjson.gz",
        "2026-01-03/events-0-1767398400000-0_1767398400000-0.ndjson.gz",
    ]


async def test_a_tombstone_removes_what_was_received_of_the_person_before_it(tmp_path: Path) -> None:
    sink = open_sink("ndjson", str(tmp_path), {})
    gone = [delivery(1, userId="ada"), delivery(2, traits={"email": "ada@shop.example"}, userId="ada")]
    stays = [delivery(3, userId="bob"), delivery(5, userId="ada", receivedAt="2026-01-04T00:00:00.000Z")]
    await sink.write([*gone, stays[0]])

    mark = tombstone(4, "2026-01-03T00:00:00.000Z", userId="ada")
    await sink.write([mark, stays[1]])
    await sink.write([mark])  # delivered again

    assert sorted(lines(tmp_path)) == sorted(each.event for each in (*stays, mark))


async def test_a_tombstone_removes_what_others_appended_without_a_type_or_a_time_too(tmp_path: Path) -> None:
    """It is as old as its file. A file of an older version may even hold what is no event."""
    sink = open_sink("ndjson", str(tmp_path), {"compress": "none"})
    foreign = [{"userId": "ada"}, {"userId": "ada", "type": "track", "receivedAt": "2026-01-02T00:00:00"}]
    await sink.write([replace(delivery(n), event=orjson.dumps(each)) for n, each in enumerate(foreign)])
    (path,) = tmp_path.glob("*/*")
    with path.open("ab") as file:
        file.write(b'{"userId":"ada",\n{"userId":"\\ud800"}\n')

    mark = tombstone(4, "2026-01-03T00:00:00.000Z", userId="ada")
    await sink.write([mark])

    assert lines(tmp_path) == [b'{"userId":"\\ud800"}', mark.event]


async def test_what_is_no_event_on_one_line_is_rejected(tmp_path: Path) -> None:
    sink = open_sink("ndjson", str(tmp_path), {})
    nowhere = tombstone(1, "2026-01-03T00:00:00", userId="ada")
    for broken in (b"", b"{", b"[]", b'{\n"type":"track"}', b'{"userId":"\\ud8"}'):
        with pytest.raises(Rejected):
            await sink.write([replace(delivery(1), event=broken)])
    with pytest.raises(Rejected, match="names no zone"):
        await sink.write([nowhere])

    assert lines(tmp_path) == []


async def test_a_folder_that_is_away_is_waited_for(
    redis: Redis, settings: Settings, start: Start, tmp_path: Path
) -> None:
    """Here something else is in its place."""
    out = tmp_path / "out"
    out.write_text("in the way")
    await fill(redis, settings, event(1))
    process = start("ndjson", str(out), "seconds=0.1")
    names = Names(settings.namespace)

    async def taken() -> bool:
        return any(group.lag for group in await list_groups(redis, names, "events", 0))

    await until(taken)
    out.unlink()
    assert process.stdout
    assert process.stdout.readline() == "1\n"
    assert lines(out) == [event(1)]


def command(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HEADWATER_REDIS_URL": settings.redis_url,
        "HEADWATER_NAMESPACE": settings.namespace,
        "HEADWATER_DATA": str(settings.data),
    }
    return subprocess.run(
        [sys.executable, "-m", "collector", "sink", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("oldest", "0"),
        ("now", "$"),
        ("1767312000000-7", "1767312000000-6"),
        ("1767312000000-0", "1767311999999-18446744073709551615"),
        ("2026-01-02T00:00:00Z", "1767311999999-18446744073709551615"),
        ("2026-01-02", "1767311999999-18446744073709551615"),
    ],
)
def test_a_start_includes_what_it_names(text: str, after: str) -> None:
    assert _position(text) == after


async def test_the_command_goes_on_where_it_stopped_and_replays_when_told(
    redis: Redis, settings: Settings, tmp_path: Path
) -> None:
    start_at = "2026-01-02T03:04:05Z"
    await fill(redis, settings, *map(event, range(5)))
    to = ("ndjson", str(tmp_path / "out"), "--set", "seconds=3600")  # no batch waits for more than is asked
    first = command(settings, *to, "--count", "5")
    assert (first.returncode, first.stdout) == (0, "Wrote 5 events.\n"), first.stderr

    await fill(redis, settings, event(5))
    assert command(settings, *to, "--count", "1").stdout == "Wrote 1 events.\n"

    again = command(
        settings, "ndjson", str(tmp_path / "new"), "--set", "seconds=0.1", "--from", start_at, "--count", "6"
    )
    assert again.stdout == "Wrote 6 events.\n", again.stderr
    assert command(settings, *to, "--from", start_at, "--count", "6").stdout == "Wrote 6 events.\n"
    assert sorted(lines(tmp_path / "out")) == sorted(map(event, range(6)))
    assert sorted(lines(tmp_path / "new")) == sorted(map(event, range(6)))


@pytest.mark.parametrize("compress", ["gzip", "zstd", "none"])
async def test_files_are_compressed_as_told_and_broken_ones_are_named(tmp_path: Path, compress: str) -> None:
    sink = open_sink("ndjson", str(tmp_path), {"compress": compress})
    for numbers in ((1, 2), (2, 3)):
        await sink.write([delivery(number) for number in numbers])
    assert lines(tmp_path) == [event(1), event(2), event(3)]

    if compress != "none":
        path = min(tmp_path.glob("*/*"))
        path.write_bytes(b"broken")
        with pytest.raises(OSError, match=f"{path} is broken"):
            await sink.write([delivery(1)])
