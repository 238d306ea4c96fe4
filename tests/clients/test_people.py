"""Persons, groups and purchases through Amplitude's and Mixpanel's clients, unmodified."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.faults import faulty_way
from tests.clients.test_browsers import PAGES, site
from tests.clients.test_dialects import AMPLITUDE, MIXPANEL
from tests.conftest import until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

    from tests.clients.island import Island
    from tests.conftest import Running

SITES = {"amplitude": AMPLITUDE, "mixpanel": MIXPANEL}


@pytest.mark.parametrize("name", SITES)
async def test_what_a_servers_client_says_of_people_is_understood(
    running: Running, packages: Path, place: Island, name: str
) -> None:
    await running.add(bridge="rest", settings={"sites": [SITES[name]]})
    target = f"http://127.0.0.1:{running.parts.ports.public}"

    async with faulty_way(target, (), place.address) as way:
        words = (sys.executable, f"send/send_{name}_people.py", way.url, SITES[name].partition(":")[2])
        process = await asyncio.create_subprocess_exec(
            *place.enter, *words, cwd=packages, env=place.environment
        )
        assert await asyncio.wait_for(process.wait(), 90) == 0

    check(name, await running.events())
    assert "s3cr3t" not in str(await running.events("quarantine"))
    assert place.asked == set()


@pytest.mark.parametrize("name", SITES)
async def test_what_a_page_says_of_people_is_understood(
    running: Running, packages: Path, page: Page, place: Island, name: str
) -> None:
    await running.add(settings={"sites": [SITES[name]]}, privacy={"visitors": "cookie"})
    target = f"http://127.0.0.1:{running.parts.ports.public}"

    async with faulty_way(target, (), place.address) as way:
        html = (PAGES / f"{name}-people.html").read_text(encoding="utf-8")
        html = html.replace("@URL@", way.url).replace("@KEY@", SITES[name].partition(":")[2])
        async with site(packages, html, place.address) as origin:
            await page.goto(origin)

            async def all_there() -> bool:
                kinds = [event["type"] for event in await running.events()]
                return {"identify", "group", "track"} <= set(kinds) and (
                    name == "amplitude" or "alias" in kinds
                )

            await until(all_there, 30)
            await page.goto("about:blank")

    events = await running.events()
    check(name, events)
    assert all(event["anonymousId"] for event in events if event["type"] in {"identify", "track"})
    assert place.asked == set()


def check(name: str, events: list[dict[str, Any]]) -> None:
    """Each says who, what is set for them, and keeps the operations that are no setting."""
    people = [event for event in events if event["type"] == "identify"]
    (group,) = (event for event in events if event["type"] == "group")
    (bought,) = (event for event in events if event["type"] == "track")
    assert ("user-1" if name == "amplitude" else "u1") in {event["userId"] for event in people}
    assert "pro" in [event.get("traits", {}).get("plan") for event in people]  # a page adds its browser
    own = [event["context"][name] for event in people]
    assert any((each.get("user_properties") or each).get("$add") == {"visits": 1} for each in own)
    assert (group["groupId"], group["traits"]) == ("ACME", {"seats": 7})
    if name == "amplitude":
        assert bought["event"] == "revenue_amount"
        assert (bought["properties"]["$price"], bought["properties"]["$quantity"]) == (9.5, 2)
        return
    assert (bought["event"], bought["properties"]["total"]) == ("Order Completed", 9.5)
    (alias,) = (event for event in events if event["type"] == "alias")
    assert (alias["previousId"], alias["userId"]) == ("u1", "u2")
