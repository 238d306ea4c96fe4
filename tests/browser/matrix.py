"""Play the delivery matrix; ``python -m tests.browser.matrix`` writes its table into the docs."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from playwright.async_api import async_playwright

from collector.settings import Settings
from collector.store.embedded import embedded_server
from collector.tasks import running as in_background
from tests.browser.firefox import firefox, persistent_firefox
from tests.browser.process import ARGUMENTS, UNWANTED, find_chromium, persistent_chromium
from tests.browser.scenarios import SCENARIOS
from tests.browser.stage import Arrivals, Row, World
from tests.browser.street import Site
from tests.conftest import run_collector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Browser

    from tests.browser.firefox import Firefox

    Run = AbstractAsyncContextManager[Any]

PAGE = Path(__file__).parents[2] / "docs" / "tracker-delivery.md"
BEGIN, END = "<!-- made by `make delivery`: begin -->\n", "<!-- made by `make delivery`: end -->"

# Scenarios wait most of their time; more at once would only fight for the processor.
_AT_ONCE = 5


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run Debian's Chromium without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), args=ARGUMENTS, ignore_default_args=UNWANTED
        )
        yield browser
        await browser.close()


# How each browser is run for all scenarios, and for one on a profile that outlives it.
_LAUNCH: dict[str, tuple[Callable[[], Run], Callable[[str], Run]]] = {
    "Chromium": (chromium, persistent_chromium),
    "Firefox": (firefox, persistent_firefox),
}
# Firefox prerenders nothing, and lets nobody freeze, crash or discard a tab from outside.
_CHROMIUM_ONLY = {
    "tab discarded (frozen, then its process killed) during 503",
    "tab discarded by the browser during 503, then shown again",
    "prerendered: one page activated, one never",
}
PLAYED = {
    "Chromium": list(SCENARIOS),
    "Firefox": [name for name in SCENARIOS if name not in _CHROMIUM_ONLY],
}


async def play_all(
    settings: Settings, name: str, chosen: list[str] | None = None
) -> dict[str, Row | BaseException]:
    """Return the row of each scenario in the browser of that name, or what broke it."""
    names = chosen or PLAYED[name]
    turns = asyncio.Semaphore(_AT_ONCE)
    launch, persistent = _LAUNCH[name]
    async with launch() as browser, _world(settings, browser, persistent) as world:

        async def play(name: str) -> Row:
            async with turns, world.stage(name) as stage:
                await SCENARIOS[name](stage)
                return await stage.judge()

        rows = await asyncio.gather(*map(play, names), return_exceptions=True)
    return dict(zip(names, rows, strict=True))


@asynccontextmanager
async def _world(
    settings: Settings, browser: Browser | Firefox, persistent: Callable[[str], Run]
) -> AsyncIterator[World]:
    arrivals, site = Arrivals(), Site()
    async with run_collector(settings) as running:
        await site.door.open()
        async with in_background(arrivals.follow(running)):
            # Firefox speaks as much of Playwright as its scenarios need.
            yield World(running, site, cast("Browser", browser), persistent, arrivals)
        await site.door.close()


def table(rows: dict[str, Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| scenario | sent | arrived | lost | doubled |", "| --- | --: | --: | --: | --: |"]
    for name, row in rows.items():
        lines.append(f"| {name} | {row.sent} | {row.arrived} | {len(row.lost)} | {len(row.doubled)} |")
    return "\n".join(lines) + "\n"


async def main() -> None:
    """Play everything in every browser, print the tables and write them to the docs."""
    tables = ""
    for name in PLAYED:
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder)
            async with embedded_server(data) as url:
                rows = await play_all(Settings(redis_url=url, data=data, port=0, console_port=0), name)
        good = {name: row for name, row in rows.items() if isinstance(row, Row)}
        tables += f"**{name}**\n\n{table(good)}\n"
        for broken in rows.keys() - good.keys():
            print(tables)  # noqa: T201 - what is known so far
            raise RuntimeError(broken) from rows[broken]  # type: ignore[misc]
    print(tables)  # noqa: T201 - the command's answer
    note = f"Measured on {datetime.now(UTC):%Y-%m-%d} with `make delivery`.\n\n"
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(before + BEGIN + note + tables + END + after, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
