"""What a tracker costs a page: main-thread time on a slow processor, requests and bytes of a page view."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.peers.cell import START, cell

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from benchmarks.peers.built import Built
    from benchmarks.peers.cell import Cell

_SLOWER = 4
_TRACED_SECONDS = 1
_EVENTS = 20
# One event after the other, each in a task of its own; a second later the next page, which runs no script.
_USED = f"""() => new Promise(done => {{
  let left = {_EVENTS}
  const step = () => {{
    if (left--) {{ send('used', {{ left }}); setTimeout(step, 20) }}
    else setTimeout(() => {{ console.timeStamp('close'); location.href = '/plain' }}, 1000)
  }}
  setTimeout(() => {{ done(); console.timeStamp('use'); step() }})
}})"""
_USED_SECONDS = 3
_VIEW_SECONDS = 11
# Whatever runs script: evaluated, called by a timer or listener, or continued after a promise.
_SCRIPT = {"EvaluateScript", "FunctionCall", "RunMicrotasks", "v8.compile"}
_TASK = "RunTask"
_CATEGORIES = [
    "devtools.timeline",
    "disabled-by-default-devtools.timeline",
    "v8",
    "disabled-by-default-v8.compile",
]


@dataclass(frozen=True, slots=True)
class Start:
    """Milliseconds of the main thread: compiling and running the tracker, all script, the longest task."""

    start: float
    all: float
    longest: float


@dataclass(frozen=True, slots=True)
class Use:
    """Milliseconds of script on the main thread: for one event of many, sent too, and at page close."""

    event: float
    close: float


@dataclass(frozen=True, slots=True)
class View:
    """What one page view says on the wire: requests, preflights among them, and bytes with the headers."""

    requests: int
    preflights: int
    bytes: int


async def start(browser: Browser, built: Built, loads: int) -> Start:
    """Load the tracker several times, each time in a fresh renderer, and return the medians."""
    done = [await _load(browser, built) for _ in range(loads)]
    return Start(
        *(round(median(getattr(load, name) for load in done), 1) for name in ("start", "all", "longest"))
    )


async def use(browser: Browser, built: Built, times: int) -> Use:
    """Send events from a page that has settled, leave it, and return the medians of several times."""
    done = [await _use(browser, built) for _ in range(times)]
    return Use(*(round(median(getattr(each, name) for each in done), 2) for name in ("event", "close")))


async def view(browser: Browser, built: Built) -> View:
    """Open a page, leave it a second after its view has arrived, and count what was said."""
    async with cell(browser, built) as made:
        page = await made.open()
        await made.until(lambda: made.backend.views > 0, _VIEW_SECONDS)
        await asyncio.sleep(1)
        await page.close()
        await asyncio.sleep(0.5)
        requests = made.backend.requests
        preflights = sum(request.method == "OPTIONS" for request in requests)
        return View(len(requests), preflights, sum(request.size for request in requests))


async def _load(browser: Browser, built: Built) -> Start:
    async with cell(browser, built) as made:
        page = await _slow_page(made)
        await browser.start_tracing(page=page, categories=_CATEGORIES)
        await page.goto(made.url("one"))
        await asyncio.sleep(_TRACED_SECONDS)
        trace = json.loads(await browser.stop_tracing())
    return _added_up(trace["traceEvents"], built.path)


async def _use(browser: Browser, built: Built) -> Use:
    async with cell(browser, built) as made:
        page = await _slow_page(made)
        await page.goto(made.url("one"))
        await page.wait_for_function("() => window.send")
        await asyncio.sleep(_TRACED_SECONDS)
        await browser.start_tracing(page=page, categories=_CATEGORIES)
        await page.evaluate(_USED)
        await asyncio.sleep(_USED_SECONDS)
        trace = json.loads(await browser.stop_tracing())
    return _shared_out(trace["traceEvents"])


async def _slow_page(made: Cell) -> Page:
    page = await made.visitor.new_page()
    devtools = await made.visitor.new_cdp_session(page)
    await devtools.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWER})
    return page


def _shared_out(trace: list[dict[str, Any]]) -> Use:
    """Share out what ran between the page's two marks, and after the second: what closing the page cost."""
    marks = {event["args"]["data"]["message"]: event for event in trace if event["name"] == "TimeStamp"}
    used, closed = marks["use"], marks["close"]
    before = after = end = 0.0
    for event in sorted((each for each in trace if each["name"] in _SCRIPT), key=lambda each: each["ts"]):
        if event.get("ph") != "X" or (event["pid"], event["tid"]) != (used["pid"], used["tid"]):
            continue
        if event["ts"] < max(end, used["ts"]):  # within another, or before
            continue
        end = event["ts"] + event["dur"]
        if event["ts"] < closed["ts"]:
            before += event["tdur"] / 1000
        else:
            after += event["tdur"] / 1000
    return Use(before / _EVENTS, after)


def _added_up(trace: list[dict[str, Any]], path: str) -> Start:
    """Add up what ran on the page's main thread; of what runs within another, the outer one counts.

    The thread's own time is taken: what else the machine does meanwhile is not the tracker's.
    """
    done = [event for event in trace if event.get("ph") == "X" and event["name"] in {*_SCRIPT, _TASK}]
    own = next(event for event in done if _url(event).endswith(path))
    evaluated = end = 0.0
    tasks = [0.0]
    for event in sorted(done, key=lambda event: (event["ts"], event["name"] != _TASK)):
        if event["pid"] != own["pid"] or event["tid"] != own["tid"]:
            continue
        if event["name"] == _TASK:
            tasks.append(0.0)
        elif event["ts"] >= end:
            end = event["ts"] + event["dur"]
            if _url(event).endswith("/one"):  # the page's own few words
                continue
            tasks[-1] += event["tdur"] / 1000
            if _url(event).endswith((path, START)):
                evaluated += event["tdur"] / 1000 * (event["name"] in {"EvaluateScript", "v8.compile"})
    return Start(evaluated, sum(tasks), max(tasks))


def _url(event: dict[str, Any]) -> str:
    return str(event["args"].get("data", {}).get("url", ""))
