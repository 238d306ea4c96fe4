"""The scenarios of the delivery matrix: what happens to a page while its events are under way."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.browser.discard import discarded_tab
from tests.browser.process import killed_browser, unattended
from tests.browser.street import answer_lost, answers, late
from tests.conftest import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.browser.stage import Stage

    Scenario = Callable[[Stage], Awaitable[None]]

SCENARIOS: dict[str, Scenario] = {}

_BURST = [f"Burst {number}" for number in range(200)]


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    """Put a scenario into the matrix under its name."""

    def keep(play: Scenario) -> Scenario:
        SCENARIOS[name] = play
        return play

    return keep


@scenario("page closed at once")
async def _closed(stage: Stage) -> None:
    page = await stage.open()
    await stage.track(page, "Before closing")
    await page.close()


@scenario("navigation at once")
async def _navigated(stage: Stage) -> None:
    page = await stage.open()
    stage.sent.append("page two")
    await stage.track(page, "Before leaving", then="location.href = 'two'")
    await page.wait_for_url("**/two")


@scenario("tab discarded (frozen, then its process killed) during 503")
async def _discarded(stage: Stage) -> None:
    page = await stage.open()
    await stage.arrived("page one")
    stage.gate.faults.append(answers(503))
    await stage.track(page, "Before the discard")
    await page.wait_for_function("() => Object.values(localStorage).join().includes('Before the discard')")
    devtools = await stage.visitor.new_cdp_session(page)
    await devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    async with page.expect_event("crash"):
        crash = asyncio.ensure_future(devtools.send("Page.crash"))  # nobody is left to answer
    crash.cancel()


@scenario("tab discarded by the browser during 503, then shown again")
async def _discarded_by_browser(stage: Stage) -> None:
    stage.gate.faults.append(answers(503, Retry_After="10"))  # keeps the page from sending before it goes
    await discarded_tab(stage)


@scenario("browser killed (kill -9) after the event reached its disk")
async def _killed(stage: Stage) -> None:
    await killed_browser(stage)


@scenario("503 three times, then fine")
async def _unavailable(stage: Stage) -> None:
    stage.gate.faults.extend([answers(503)] * 3)
    page = await stage.open()
    await stage.track(page, "During the fault")
    await stage.arrived(*stage.sent)


@scenario("503, and the page closed before it is fine")
async def _unavailable_closed(stage: Stage) -> None:
    stage.gate.faults.extend([answers(503)] * 2)
    page = await stage.open()
    await _beacons(stage, 1)
    await stage.track(page, "During the fault")
    await page.close()


@scenario("429 with Retry-After, then fine")
async def _too_many(stage: Stage) -> None:
    stage.gate.faults.append(answers(429, Retry_After="1"))
    page = await stage.open()
    await stage.track(page, "During the pause")
    await stage.arrived(*stage.sent)


@scenario("connection refused, then fine")
async def _refused(stage: Stage) -> None:
    page = await stage.open()
    await stage.arrived("page one")
    await stage.gate.door.close()
    await stage.track(page, "During the outage")
    await page.evaluate("() => { headwater.flush() }")
    await asyncio.sleep(0.5)
    await stage.gate.door.open()
    await stage.arrived(*stage.sent)


@scenario("connection refused, then the next page")
async def _refused_closed(stage: Stage) -> None:
    page = await stage.open()
    await stage.arrived("page one")
    await stage.gate.door.close()
    await stage.track(page, "During the outage")
    # The page closes after the tracker has heard that nobody answers: these fail after its own request.
    failing = "async url => { headwater.flush(); for (const _ of 'xxx') await fetch(url).catch(() => 0) }"
    await page.evaluate(failing, stage.gate.address)
    await page.close()
    await stage.gate.door.open()


@scenario("offline, then online again")
async def _offline(stage: Stage) -> None:
    page = await stage.open()
    await stage.arrived("page one")
    await stage.visitor.set_offline(offline=True)
    await stage.track(page, "Offline")
    await asyncio.sleep(0.3)
    assert "Offline" not in map(stage.name, stage.events)
    await stage.visitor.set_offline(offline=False)
    await stage.arrived(*stage.sent)


@scenario("offline, closed, then the next page")
async def _offline_closed(stage: Stage) -> None:
    page = await stage.open()
    await stage.arrived("page one")
    await stage.visitor.set_offline(offline=True)
    await stage.track(page, "Offline")
    await page.close()
    await stage.visitor.set_offline(offline=False)


@scenario("200 events of 700 bytes, then navigation")
async def _burst(stage: Stage) -> None:
    page = await stage.open()
    stage.sent.append("page two")
    await stage.track(page, *_BURST, size=700, then="location.href = 'two'")
    await page.wait_for_url("**/two")


@scenario("200 events of 700 bytes, then the tab closed")
async def _burst_closed(stage: Stage) -> None:
    page = await stage.open()
    await stage.arrived("page one")
    await stage.track(page, *_BURST, size=700)
    await page.close()


@scenario("two tabs at once, both open")
async def _live_tabs(stage: Stage) -> None:
    one, two = await asyncio.gather(stage.open("one"), stage.open("two"))
    for turn in range(5):
        await asyncio.gather(
            stage.track(one, *[f"In one {turn}.{number}" for number in range(10)], size=300),
            stage.track(two, *[f"In two {turn}.{number}" for number in range(10)], size=300),
        )
    await stage.arrived(*stage.sent)


@scenario("two tabs at once, one closed during 503")
async def _two_tabs(stage: Stage) -> None:
    stage.gate.faults.extend([answers(503)] * 3)
    one, two = await asyncio.gather(stage.open("one"), stage.open("two"))
    await asyncio.gather(stage.track(one, "In one", "Also in one"), stage.track(two, "In two"))
    await one.close()
    await stage.arrived("page two", "In two")


@scenario("storage denied: an opaque origin")
async def _denied(stage: Stage) -> None:
    stage.pages.headers["Content-Security-Policy"] = "sandbox allow-scripts"
    stage.gate.faults.append(answers(503))
    page = await stage.open()
    await stage.track(page, "Without storage")
    await stage.arrived(*stage.sent)
    await stage.track(page, "Before closing")
    await page.close()


@scenario("third-party iframe")
async def _framed(stage: Stage, attributes: str = "") -> None:
    frame = stage.url("inner").replace("localhost", "127.0.0.1")
    page = await stage.visitor.new_page()
    stage.sent.append("page inner")
    await page.set_content(f'<iframe src="{frame}" {attributes}></iframe>')
    await stage.arrived("page inner")
    inner = await frame_of(page)
    stage.sent.append("In the frame")
    await inner.evaluate("() => { headwater('track', 'In the frame') }")
    await page.close()


@scenario("sandboxed iframe")
async def _sandboxed(stage: Stage) -> None:
    await _framed(stage, 'sandbox="allow-scripts"')


@scenario("strict CSP with Trusted Types")
async def _strict(stage: Stage) -> None:
    stage.pages.tag = stage.pages.tag.replace("<script", '<script nonce="n0nce"')
    stage.pages.headers["Content-Security-Policy"] = (
        "default-src 'none'; img-src data:; script-src 'nonce-n0nce' 'strict-dynamic'; "
        f"connect-src {stage.gate.address}; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    page = await stage.open()
    await stage.track(page, "Under the policy")
    await page.close()


@scenario("back and forward from the browser's memory (bfcache)")
async def _restored(stage: Stage) -> None:
    page = await stage.open("one")
    await stage.arrived("page one")
    await page.evaluate("() => { window.kept = 1 }")
    await stage.go(page, "two")
    await stage.arrived("page two")
    stage.sent.append("page one")
    await page.evaluate("() => { history.back() }")
    await page.wait_for_function("() => window.kept")  # set only if the page comes from memory
    await stage.track(page, "After the restore")
    await stage.arrived(*stage.sent)


@scenario("prerendered: one page activated, one never")
async def _prerendered(stage: Stage) -> None:
    await unattended(stage)


@scenario("history: push, replace, back, query, hash")
async def _history(stage: Stage) -> None:
    page = await stage.open("one")
    for step, path in [
        ("history.pushState({}, '', 'two')", "two"),
        ("history.replaceState({}, '', 'two?page=2')", "two?page=2"),
        ("history.replaceState({scroll: 9}, '', 'two?page=2')", ""),  # state only: no view
        ("history.pushState({}, '', '#part')", ""),  # within the page: no view
        ("history.back()", ""),
        ("history.back()", "one"),
        ("history.forward()", "two?page=2"),
    ]:
        stage.sent += [f"page {path}"] if path else []
        await page.evaluate(f"async () => {{ {step}; await new Promise(done => setTimeout(done, 100)) }}")
    await stage.arrived(*stage.sent)


@scenario("clock wrong by a day")
async def _clock(stage: Stage) -> None:
    await stage.visitor.add_init_script("{ const now = Date.now; Date.now = () => now() - 864e5 }")
    page = await stage.open()
    await stage.track(page, "Yesterday")
    await stage.arrived(*stage.sent)
    for event in stage.events:
        received, happened = (datetime.fromisoformat(event[key]) for key in ("receivedAt", "timestamp"))
        assert abs(received - happened) < timedelta(minutes=1), "the clock was not corrected"


@scenario("the answer comes late, after the page has gone")
async def _late(stage: Stage) -> None:
    stage.gate.faults.append(late(2))
    page = await stage.open()
    await _beacons(stage, 1)
    await stage.track(page, "While waiting")
    await page.close()


@scenario("the answer is lost on the way")
async def _answer_lost(stage: Stage) -> None:
    stage.gate.faults.append(answer_lost)
    page = await stage.open()
    await stage.track(page, "Sent twice")
    await stage.arrived(*stage.sent)


@scenario("calls before the tracker has loaded")
async def _early(stage: Stage) -> None:
    stage.sent += ["Early", "Second"]
    stage.pages.body = (
        "<script>if (location.pathname.endsWith('one')) "
        "['Early', 'Second'].map(name => headwater('track', name))</script>"
    )
    await stage.open()


async def frame_of(page: Any) -> Any:
    """Return the first frame in a page, of either browser."""
    return page.frames[1] if hasattr(page, "frames") else await page.inner


async def _beacons(stage: Stage, count: int) -> None:
    async def enough() -> bool:
        return stage.gate.beacons >= count

    await until(enough)
