"""``make peers``: our tracker beside those that npm ships, in one browser, by the same rules.

``python -m benchmarks.peers NAME...`` measures the named ones anew and keeps the other rows.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from playwright.async_api import async_playwright

from benchmarks.peers import cost
from benchmarks.peers.built import Built, everyone, install
from benchmarks.peers.cell import cell
from benchmarks.peers.report import RESULTS, write
from benchmarks.peers.scenarios import SCENARIOS
from tests.browser.process import ARGUMENTS, UNWANTED, find_chromium

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser

# Several peers pass over a browser that says it is automated; no host but this machine is to be found.
_ARGUMENTS = [
    *ARGUMENTS,
    "--disable-blink-features=AutomationControlled",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
# Scenarios wait most of their time; more at once would only fight for the processor.
_AT_ONCE = 12
_LOADS = 5


class StrangerError(Exception):
    """A tracker looked for a host that is not this machine: its set-up in ``trackers`` is not complete."""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start a Chromium that keeps pages in memory as visitors' do, and finds no host but this one."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), args=_ARGUMENTS, ignore_default_args=UNWANTED
        )
        yield browser
        await browser.close()


async def measure(
    trackers: list[Built], scenarios: list[str], loads: int
) -> tuple[str, list[dict[str, Any]]]:
    """Return the browser's version and a row for each tracker."""
    async with chromium() as browser:
        version = browser.version
        spent = []
        for built in trackers:  # one after the other: what is measured here is time
            start, use = await cost.start(browser, built, loads), await cost.use(browser, built, loads)
            spent.append({"start": asdict(start), "use": asdict(use)})
            print(
                f"{built.name}: starts in {start.start} ms, longest task {start.longest} ms,"
                f" event {use.event} ms, close {use.close} ms"
            )
    async with chromium() as browser:
        turns = asyncio.Semaphore(_AT_ONCE)
        rows = await asyncio.gather(*(_row(browser, turns, built, scenarios) for built in trackers))
    return version, [row | each for row, each in zip(rows, spent, strict=True)]


async def _row(
    browser: Browser, turns: asyncio.Semaphore, built: Built, scenarios: list[str]
) -> dict[str, Any]:
    strangers: set[str] = set()

    async def play(name: str) -> dict[str, int]:
        async with turns, cell(browser, built) as made:
            result = await SCENARIOS[name](made)
            strangers.update(made.strangers)
            return asdict(result)

    played = await asyncio.gather(*map(play, scenarios))
    if strangers:
        raise StrangerError(f"{built.name} looked for {', '.join(sorted(strangers))}")
    async with turns:
        view = await cost.view(browser, built)
    return {
        "name": built.name,
        "version": built.version,
        "how": built.how,
        "bytes": built.bytes,
        "view": asdict(view),
        "scenarios": dict(zip(scenarios, played, strict=True)),
    }


def _kept(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the results file, with those just measured in the place of their own."""
    new = {row["name"]: row for row in rows}
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    return [new.get(row["name"], row) for row in kept]


def main() -> None:
    """Install, measure, and write results and tables."""
    began, load = time.monotonic(), os.getloadavg()[0]
    install()
    named = [built for built in everyone() if not sys.argv[1:] or built.name in sys.argv[1:]]
    version, rows = asyncio.run(measure(named, list(SCENARIOS), _LOADS))
    write(
        {
            "date": datetime.now(UTC).date().isoformat(),
            "chromium": version,
            "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
            "load": round(load, 1),
            "rows": _kept(rows) if sys.argv[1:] else rows,
        }
    )
    print(f"{len(rows)} trackers in {time.monotonic() - began:.0f} s; the tables are in docs/benchmarks.md")


if __name__ == "__main__":
    main()
