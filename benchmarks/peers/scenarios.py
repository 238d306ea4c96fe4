"""The nine delivery scenarios, the same for every tracker; each returns when what can arrive has arrived."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benchmarks.peers.cell import Cell

    Scenario = Callable[[Cell], Awaitable["Result"]]

_PATIENCE_SECONDS = 25
# Our queue of a page that may still live is not touched by others for 20 seconds, and a burst that was kept
# then goes in batches, one every two seconds.
_NEXT_PAGE_SECONDS = 45
# A copy that comes again comes soon after the next page has started.
_COPIES_SECONDS = 1.5
_BURST = 200
_VIEW_SECONDS = 11


@dataclass(frozen=True, slots=True)
class Result:
    """Events sent and arrived, how many of these without the visitor's next page, and further copies.

    ``doubled`` are copies that no server can tell from another event, ``copies`` those with the event's id.
    """

    sent: int
    arrived: int
    at_once: int
    doubled: int = 0
    copies: int = 0


async def _navigation(cell: Cell) -> Result:
    page = await cell.open()
    await cell.send(page, then="location.href = '/plain'")
    return await _judged(cell, 2)


async def _close(cell: Cell) -> Result:
    page = await cell.open()
    await cell.send(page)
    await page.close()
    return await _judged(cell, 2)


async def _unavailable(cell: Cell) -> Result:
    cell.backend.faults.extend([(503, {})] * 3)
    await cell.send(await cell.open())
    return await _judged(cell, _PATIENCE_SECONDS)


async def _too_many(cell: Cell) -> Result:
    cell.backend.faults.append((429, {"Retry-After": "2"}))
    await cell.send(await cell.open())
    return await _judged(cell, _PATIENCE_SECONDS)


async def _offline(cell: Cell) -> Result:
    page = await cell.open()
    await cell.visitor.set_offline(offline=True)
    await cell.send(page)
    await asyncio.sleep(3)
    await cell.visitor.set_offline(offline=False)
    return await _judged(cell, _PATIENCE_SECONDS)


async def _burst(cell: Cell) -> Result:
    page = await cell.open()
    await cell.send(page, _BURST, size=600, then="location.href = '/plain'")
    return await _judged(cell, 3)


async def _back(cell: Cell) -> Result:
    page = await cell.open()
    for step in ("history.pushState({}, '', '/two')", "history.back()"):
        await page.evaluate(f"() => {{ {step} }}")
        await asyncio.sleep(1)
    return await _viewed(cell, 3)


async def _restored(cell: Cell) -> Result:
    page = await cell.open()
    await page.evaluate("() => { window.kept = 1 }")
    await page.goto(cell.url("plain"))
    await asyncio.sleep(0.5)
    await page.evaluate("() => { history.back() }")
    # Set only if the page comes from the browser's memory.
    await page.wait_for_function("() => window.kept")
    return await _viewed(cell, 2)


async def _history(cell: Cell) -> Result:
    page = await cell.open()
    for step in ("pushState({}, '', '/a')", "replaceState({}, '', '/b')", "pushState({}, '', '/b?page=2')"):
        await page.evaluate(f"() => {{ history.{step} }}")
        await asyncio.sleep(1)
    return await _viewed(cell, 4)


SCENARIOS: dict[str, Scenario] = {
    "navigation": _navigation,
    "close": _close,
    "three 503": _unavailable,
    "429": _too_many,
    "offline": _offline,
    "burst": _burst,
    "back": _back,
    "bfcache": _restored,
    "history": _history,
}


async def _judged(cell: Cell, seconds: float) -> Result:
    """Count the events after ``seconds``, and again after the visitor's next page."""
    await cell.until(cell.all_arrived, seconds)
    at_once = len({name for name, _ in cell.backend.arrived})
    cell.backend.faults.clear()
    await cell.open("last")
    await cell.until(cell.all_arrived, _NEXT_PAGE_SECONDS)
    await asyncio.sleep(_COPIES_SECONDS)
    arrived = cell.backend.arrived
    names = len({name for name, _ in arrived})
    told_apart = len({(name, identity) for name, identity in arrived if identity})
    nameless = sum(identity is None for _, identity in arrived)
    return Result(
        len(cell.sent), names, at_once, told_apart + nameless - names, len(arrived) - told_apart - nameless
    )


async def _viewed(cell: Cell, expected: int) -> Result:
    """Count the page views, the first one with them."""
    await cell.until(lambda: cell.backend.views >= expected, _VIEW_SECONDS)
    await asyncio.sleep(_COPIES_SECONDS)
    seen = min(cell.backend.views, expected)
    return Result(expected, seen, seen, cell.backend.views - seen)
