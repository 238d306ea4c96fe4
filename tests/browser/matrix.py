"""Play the delivery matrix; ``python -m tests.browser.matrix`` writes its table into the docs."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

from collector.settings import Settings
from collector.store.embedded import embedded_server
from tests.browser.process import ARGUMENTS, UNWANTED, find_chromium
from tests.browser.scenarios import SCENARIOS
from tests.browser.stage import Arrivals, Row, World
from tests.browser.street import Site
from tests.conftest import run_collector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAGE = Path(__file__).parents[2] / "docs" / "tracker-delivery.md"
BEGIN, END = "<!-- made by `make delivery`: begin -->\n", "<!-- made by `make delivery`: end -->"

# Scenarios wait most of their time; more at once would only fight for the processor.
_AT_ONCE = 5


async def play_all(settings: Settings, chosen: list[str] | None = None) -> dict[str, Row | BaseException]:
    """Return each scenario's row, or what broke it."""
    names = chosen or list(SCENARIOS)
    turns = asyncio.Semaphore(_AT_ONCE)
    async with _world(settings) as world:

        async def play(name: str) -> Row:
            async with turns, world.stage(name) as stage:
                await SCENARIOS[name](stage)
                return await stage.judge()

        rows = await asyncio.gather(*map(play, names), return_exceptions=True)
    return dict(zip(names, rows, strict=True))


@asynccontextmanager
async def _world(settings: Settings) -> AsyncIterator[World]:
    arrivals, site = Arrivals(), Site()
    async with run_collector(settings) as running, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), args=ARGUMENTS, ignore_default_args=UNWANTED
        )
        await site.door.open()
        following = asyncio.create_task(arrivals.follow(running))
        yield World(running, site, browser, arrivals)
        following.cancel()
        await asyncio.wait([following])
        await browser.close()
        await site.door.close()


def table(rows: dict[str, Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| scenario | sent | arrived | lost | doubled |", "| --- | --: | --: | --: | --: |"]
    for name, row in rows.items():
        lines.append(f"| {name} | {row.sent} | {row.arrived} | {len(row.lost)} | {len(row.doubled)} |")
    return "\n".join(lines) + "\n"


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        async with embedded_server(data) as url:
            rows = await play_all(Settings(redis_url=url, data=data, port=0, console_port=0))
    good = {name: row for name, row in rows.items() if isinstance(row, Row)}
    print(table(good))  # noqa: T201 - the command's answer
    for name in rows.keys() - good.keys():
        raise RuntimeError(name) from rows[name]
    note = f"Measured on {datetime.now(UTC):%Y-%m-%d} with `make delivery`.\n\n"
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(before + BEGIN + note + table(good) + END + after, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
