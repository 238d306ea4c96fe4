"""Who is called a bot, why, and what a source does about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from collector.enrich import agent, bots
from tests.conftest import hit, web_source
from tests.enrich.uap_core import uap_core

if TYPE_CHECKING:
    from tests.conftest import Running

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/142.0.0.0 Safari/537.36"
HEADERS = {"Accept-Language": "de", "Sec-Fetch-Mode": "cors"}
MOST_PEOPLE_TAKEN_FOR_BOTS = 0.001
LEAST_BOTS_FOUND = 0.99


def _read(text: str) -> Any:
    cut = text[: agent.LONGEST]
    return bots.read(cut, (agent.read(cut)["device"] or {}).get("brand"))


def test_nearly_all_known_crawlers_are_found() -> None:
    """The instances of the crawler-user-agents package; those that are missed are browsers inside apps."""
    texts = {text for row in CRAWLER_USER_AGENTS_DATA for text in row["instances"]}

    found = sum(_read(text) is not None for text in texts)

    assert found / len(texts) >= LEAST_BOTS_FOUND


def test_hardly_a_browser_is_taken_for_a_bot() -> None:
    """uap-core's devices that present themselves as browsers do: as Mozilla or Opera, and no Spider."""
    texts = {
        case["user_agent_string"]
        for case in uap_core()["device"]
        if case["family"] != "Spider" and case["user_agent_string"].startswith(("Mozilla/", "Opera/"))
    }

    wrong = [text for text in texts if _read(text) is not None]

    assert len(wrong) / len(texts) <= MOST_PEOPLE_TAKEN_FOR_BOTS


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "search", "Googlebot"),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "search", "bingbot"),
        ("Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)", "ai", "GPTBot"),
        ("Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", "ai", "ClaudeBot"),
        ("Mozilla/5.0 (compatible; PerplexityBot/1.0)", "ai", "PerplexityBot"),
        ("Mozilla/5.0 (Linux; Android 5.0) (compatible; Bytespider)", "ai", "Bytespider"),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "preview", None),
        ("Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "monitor", "UptimeRobot"),
        ("curl/8.10.1", "tool", "curl"),
        ("python-requests/2.32.3", "tool", "python-requests"),
        (CHROME.replace("Chrome/", "HeadlessChrome/"), "headless", "HeadlessChrome"),
        ("Mozilla/5.0 (compatible; SomethingNewBot/0.1)", "unknown", None),
    ],
)
def test_a_bot_has_kind_and_name(text: str, kind: str, name: str | None) -> None:
    verdict = _read(text)

    assert (kind, "user_agent") == (verdict["kind"], verdict["why"])
    assert name in {None, verdict.get("name")}


@pytest.mark.parametrize(
    "text",
    [
        CHROME,
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {WEBKIT} Version/18.1 Mobile/15E148",
        f"Mozilla/5.0 (Linux; Android 4.1.1; HTC Butterfly Build/JRO03C) {WEBKIT} Chrome/18.0 Mobile",
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.0 Safari/605.1.15",
    ],
)
def test_a_persons_browser_is_no_bot(text: str) -> None:
    context = {"userAgent": text, **agent.read(text)}

    assert bots.step(context, hit(headers=HEADERS))["bot"] is None


@pytest.mark.parametrize(
    ("context", "headers", "kind", "why"),
    [
        ({}, HEADERS, "unknown", "no_user_agent"),
        ({"userAgent": CHROME}, {}, "unknown", "headers"),
        ({"userAgent": CHROME}, {**HEADERS, "From": "googlebot(at)googlebot.com"}, "search", "from"),
        ({"userAgent": CHROME}, {**HEADERS, "Sec-Purpose": "prefetch;prerender"}, "preview", "prefetch"),
        ({"userAgent": CHROME}, {**HEADERS, "Purpose": "prefetch"}, "preview", "prefetch"),
        ({"userAgent": CHROME}, {**HEADERS, "X-Moz": "prefetch"}, "preview", "prefetch"),
        ({"userAgent": CHROME}, {**HEADERS, "X-Purpose": "preview"}, "preview", "prefetch"),
        ({"userAgent": CHROME, "automation": "webdriver"}, HEADERS, "headless", "webdriver"),
        ({"userAgent": CHROME, "automation": "languages"}, HEADERS, "unknown", "languages"),
    ],
)
def test_headers_and_the_tracker_give_bots_away(
    context: dict[str, Any], headers: dict[str, str], kind: str, why: str
) -> None:
    told = bots.step(context, hit(headers=headers))

    assert told == {"bot": {"is": True, "kind": kind, "why": why}, "automation": None}


def test_a_servers_own_headers_say_nothing_of_the_visitor() -> None:
    assert bots.step({}, hit(source=web_source(bridge="rest")))["bot"] is None


EVENT = {"type": "track", "event": "Seen", "messageId": "m1"}
CURL = "curl/8.10.1"


async def test_bots_are_marked_by_default(running: Running) -> None:
    source = await running.add()

    await running.post(source.id, {"batch": [EVENT]}, User_Agent=CURL)

    [event] = await running.events()
    assert event["context"]["bot"] == {"is": True, "name": "curl", "kind": "tool", "why": "user_agent"}


async def test_dropped_bots_are_answered_as_success(running: Running) -> None:
    source = await running.add(enrichment={"bots": "drop"})

    answer = await running.post(source.id, {"batch": [EVENT]}, User_Agent=CURL)

    assert answer.status == 204
    assert await running.events() == []


async def test_separate_bots_go_to_a_stream_of_their_own(running: Running) -> None:
    source = await running.add(enrichment={"bots": "separate", "bots_stream": "robots"})

    await running.post(source.id, {"batch": [EVENT]}, User_Agent=CURL)

    assert await running.events() == []
    assert len(await running.events("robots")) == 1


async def test_a_step_that_is_off_tells_nothing(running: Running) -> None:
    source = await running.add(enrichment={"off": ["bots", "agent"]})

    await running.post(source.id, {"batch": [EVENT]}, User_Agent=CURL)

    [event] = await running.events()
    assert {"bot", "browser", "os", "device"} & set(event["context"]) == set()
