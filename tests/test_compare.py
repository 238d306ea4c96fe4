"""Two systems side by side: what is counted, and what is said of the difference."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from collector.compare import Count, compare

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Running

DAY = "2026-01-02"
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


def count(number: int, *, kind: str = "page", bots: int = 0, first: datetime | None = BEFORE) -> Count:
    return Count(Counter({(DAY, kind): number}), Counter({DAY: bots}), first=first)


CASES: list[tuple[Count, Count, dict[str, int], list[str]]] = [
    (count(100), count(99), {}, []),
    (count(100), count(130, bots=30), {}, ["30 of ours on this day are bots'"]),
    (count(100), count(130), {}, ["theirs may be held up by blockers, or wait for consent"]),
    (count(0), count(9), {}, ["theirs may have another name for it"]),
    (count(100), count(60), {"consent_missing": 39, "bot": 1}, ["consent_missing 39", "bot 1"]),
    (count(100), count(60), {}, ["pages without our tag, or blockers: nothing was refused"]),
    (count(100, bots=40), count(60), {"bot": 40}, ["40 of theirs on this day are bots'", "bot 40"]),
    (count(100), count(0), {}, ["nothing came here on this day"]),
    (count(100, kind="Signup"), count(9, kind="Sign up"), {}, ["another name for it here"]),
    (
        count(100),
        count(40, first=datetime(2026, 1, 2, 13, 5, tzinfo=UTC)),
        {"bot": 1},
        ["our first event is of 13:05", "bot 1"],
    ),
    (
        count(100),
        count(0, first=datetime(2026, 1, 3, tzinfo=UTC)),
        {},
        ["the stream has none of this day: before the source, or no longer kept"],
    ),
]


@pytest.mark.parametrize(("theirs", "ours", "refused", "expected"), CASES)
def test_the_likely_reasons_for_a_difference(
    theirs: Count, ours: Count, refused: dict[str, int], expected: list[str]
) -> None:
    row = compare(theirs, ours, {DAY: refused})[0]

    assert row.why == expected


def test_only_days_of_the_export_are_compared_and_the_most_frequent_kind_comes_first() -> None:
    theirs = Count(Counter({(DAY, "Signup"): 1, (DAY, "page"): 9}))
    ours = Count(Counter({(DAY, "page"): 9, (DAY, "Click"): 3, ("2026-01-05", "page"): 4}), first=BEFORE)

    rows = compare(theirs, ours, {})

    assert [(row.kind, row.theirs, row.ours) for row in rows] == [
        ("page", 9, 9),
        ("Signup", 1, 0),
        ("Click", 0, 3),
    ]
    assert [row.difference for row in rows] == [0, -1, None]


async def told(running: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on the running collector's Redis."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "collector", "compare", *arguments, "--redis-url", running.settings.redis_url],
        env={"PATH": os.environ["PATH"], "HEADWATER_NAMESPACE": running.settings.namespace, "COLUMNS": "150"},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_the_command_counts_events_by_their_own_day_in_both_systems(
    running: Running, tmp_path: Path
) -> None:
    await running.add(id="shop")
    now = datetime.now(UTC)
    late = now - timedelta(days=1)
    pages: list[dict[str, Any]] = [{"type": "page", "timestamp": at.isoformat()} for at in (now, late, late)]
    headers = {
        "User_Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Firefox/146.0",
        "Accept_Language": "de",
    }
    await running.post("shop", {"batch": [*pages, {"type": "track", "event": "Signup"}]}, **headers)
    export = tmp_path / "theirs.ndjson"
    theirs = [*pages, *pages[:1], {"type": "track", "event": "Signup", "timestamp": now.isoformat()}]
    export.write_bytes(b"\n".join(map(orjson.dumps, theirs)) + b"\nrubbish\n")

    shown = await told(running, "shop", str(export), "--format", "segment")
    rows = orjson.loads((await told(running, "shop", str(export), "--format", "segment", "--json")).stdout)

    today, yesterday = now.date().isoformat(), late.date().isoformat()
    assert [(row["day"], row["kind"], row["theirs"], row["ours"], row["difference"]) for row in rows] == [
        (yesterday, "page", 2, 2, 0),
        (today, "page", 2, 1, -0.5),
        (today, "Signup", 1, 1, 0),
    ]
    assert shown.stdout.splitlines()[-1].split() == ["all", "5", "4", "-20.0%"]
    assert shown.stderr == "1 of theirs could not be read; `headwater import` says why.\n"


async def test_exports_that_have_numbers_only_are_compared_too(running: Running, tmp_path: Path) -> None:
    await running.add(id="shop")
    await running.post("shop", {"batch": [{"type": "page"}]})
    export = tmp_path / "visitors.csv"
    export.write_text(f'"date","hostname","visitors","pageviews"\n"{datetime.now(UTC).date()}","x",1,2\n')
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n")

    rows = orjson.loads((await told(running, "shop", str(export), "--format", "counts", "--json")).stdout)
    failed = await told(running, "shop", str(bad), "--format", "counts")

    assert [(row["kind"], row["theirs"], row["ours"]) for row in rows] == [("page", 2, 1)]
    assert failed.returncode == 1
    assert "bad.csv: Row 2 has no day or no number." in failed.stderr
