"""From a mail to the site: a click can tell, for ten minutes and signed, which recipient came."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from collector.links import JOURNEY, journey_token
from collector.sources.email import signer
from tests.bridges.test_email import SHOP, follow, mail_source, token

if TYPE_CHECKING:
    from tests.conftest import Running

NOW = time.time_ns() // 1_000_000
WITH_IDS = {"visitors": "cookie", "parameters": ["*"]}


async def visited(running: Running, url: str, privacy: dict[str, Any], **headers: str) -> dict[str, Any]:
    """Return the event of a page view at an address."""
    site = await running.add(privacy=privacy, settings={"features": ["privacy"]})
    page = {"type": "page", "messageId": f"m{time.time_ns()}", "anonymousId": "v1"}
    context = {"page": {"url": url, "referrer": url}, "journey": {"anonymousId": "claimed"}}
    await running.post(site.id, {"batch": [page], "context": context}, **headers)
    return (await running.events())[-1]


async def test_a_click_leads_a_visitor_back_to_the_recipient(running: Running) -> None:
    source = await mail_source(running, journey=True)
    answer = await follow(running, token(source))
    url = answer.headers["Location"]

    event = await visited(running, url, WITH_IDS)

    assert url.startswith(f"{SHOP}&{JOURNEY}=")
    assert event["context"]["journey"] == {"source": source.id, "anonymousId": "r1"}
    assert event["anonymousId"] == "v1"
    assert JOURNEY not in str(event["context"]["page"])


async def test_no_journey_unless_the_source_wants_it(running: Running) -> None:
    answer = await follow(running, token(await mail_source(running)))

    assert answer.headers["Location"] == SHOP


@pytest.mark.parametrize("who", ["withdrawn", "objects", "disabled", "without consent"])
async def test_nobody_is_told_of_who_may_not_be_named(running: Running, who: str) -> None:
    source = await mail_source(running, journey=True)
    if who == "withdrawn":
        await running.parts.withdrawals.withdraw(source, ["r1"])
    if who == "disabled":
        await running.parts.catalogue.change(source.id, {"enabled": False})
    if who == "without consent":
        await running.parts.catalogue.change(source.id, {"privacy": {"consent": "required"}})
    headers = {"Sec-GPC": "1"} if who == "objects" else {}

    answer = await follow(running, token(source), headers=headers)

    assert answer.headers["Location"] == SHOP


@pytest.mark.parametrize(
    ("privacy", "headers"),
    [
        ({"visitors": "cookieless"}, {}),
        ({"visitors": "anonymous"}, {}),
        ({"visitors": "cookie", "preset": "cnil"}, {}),
        ({"visitors": "cookie"}, {"Sec-GPC": "1"}),
        ({"visitors": "cookie", "consent": "required", "before_consent": "views"}, {}),
    ],
)
async def test_a_site_that_joins_nothing_reads_no_journey(
    running: Running, privacy: dict[str, Any], headers: dict[str, str]
) -> None:
    source = await mail_source(running, journey=True)
    url = f"https://shop.example/?{JOURNEY}={journey_token(signer(source), 'r1', NOW)}"

    event = await visited(running, url, privacy, **headers)

    assert "journey" not in event["context"]
    assert "r1" not in str(event)


@pytest.mark.parametrize("bad", ["late", "click", "changed", "switched off", "no token"])
async def test_a_bad_journey_is_none(running: Running, bad: str) -> None:
    source = await mail_source(running, journey=bad != "switched off")
    good = journey_token(signer(source), "r1", NOW)
    value = {
        "late": journey_token(signer(source), "r1", NOW - 11 * 60 * 1000),
        "click": token(source),
        "changed": f"{good[:-1]}{'A' if good[-1] != 'A' else 'B'}",
        "switched off": good,
        "no token": "x" * 50,
    }[bad]

    event = await visited(running, f"https://shop.example/?{JOURNEY}={value}", WITH_IDS)

    assert "journey" not in event["context"]
