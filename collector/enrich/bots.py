"""Who is no person: named crawlers, tools, headless browsers, prefetches, and what gives them away.

Three judges read the user agent: crawler-user-agents and the AI list know names, is-bot knows the manner of
bots, ua-parser has its Spider class. A phone that the engine knows by its maker needs a stronger sign, since
models and their browsers carry words that bots do too.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from is_bot import Bots

from collector.enrich import agent, engines
from collector.enrich.agent import LONGEST
from collector.enrich.crawlers import named
from collector.model import Reason, Refusal
from collector.recall import remembered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ua_parser_rs import UserAgentExtractor

    from collector.model import Event, Hit

KINDS = ("search", "ai", "preview", "monitor", "tool", "headless", "unknown")

_NO_MAKER = {None, "Spider", "Generic", "Generic_Android", "Generic_Android_Tablet", "Generic_Inettv"}
# Words of bots that phones, televisions and their browsers carry too. Found by running uap-core's devices.
_OF_DEVICES = re.compile(
    r"java|\||manager|radar|server|\(\)|google(?!web)|http(?!s?:)|\.com(?=[) ])", re.IGNORECASE
)
# Takes a text out of the rules that say: nothing but one word, nothing but words. Old phones are like that.
_TAIL = " ="
_SURE, _UNSURE = "sure", "unsure"
_LOOKAROUND = re.compile(r"\(\?<?[!=](?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
_PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_AUTOMATION = {"webdriver": "headless", "languages": "unknown", "archive": "unknown"}
_BROWSER_BRIDGE = "web"

Verdict = dict[str, Any]


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:
    """Tell bot for what is no person's doing; a person has none."""
    text = context.get("userAgent")
    verdict = read(text[:LONGEST], _maker(context)) if isinstance(text, str) and text else None
    if verdict is None:
        verdict = _automation(context.get("automation"))
    if verdict is None and hit.source.bridge == _BROWSER_BRIDGE and not hit.archived:
        verdict = _by_headers(hit.headers, nameless=not text)
    return {"bot": verdict, "automation": None}


def judge(event: Event, hit: Hit) -> Refusal | None:
    """Drop a bot's event, or send it to a stream of its own, if the source wants that."""
    rule = hit.source.enrichment.bots
    if rule == "label" or not (verdict := verdict_on(event)):
        return None
    if rule == "drop":
        return Refusal(Reason.BOT, str(verdict.get("name", "")))
    event.stream = hit.source.enrichment.bots_stream
    return None


@remembered(4096)
def read(text: str, brand: str | None = None) -> Verdict | None:
    """Return what a user agent gives away, None for a person's. ``brand`` is the device's maker.

    The result is shared: never change it.
    """
    crawler = named(text)
    if brand not in _NO_MAKER and not _behaves(text, is_named=crawler is not None):
        return None
    if crawler is not None:
        name, kind = crawler
        return _verdict(kind, name.strip(" /();:+-"))
    if brand == "Spider" or has_manner(text):
        return _verdict("headless" if "headless" in text.lower() else "unknown")
    return None


def is_a_bots(text: str) -> bool:
    """Tell whether a user agent is a bot's, before anything else is known of a hit."""
    text = text[:LONGEST]
    device = agent.read(text).get("device") or {}
    return read(text, device.get("brand")) is not None


def has_manner(text: str) -> bool:
    """Tell whether is-bot knows it. The Rust engine searches, since the package's own search takes 0.3 ms.

    What knows exceptions is left to the package: the engine has no word for them.
    """
    found = _manners().extract(text)
    return found is not None and (found.major == _SURE or _with_exceptions().is_bot(text))


def verdict_on(event: Event) -> Verdict:
    """Return what an event says of a bot, empty for a person's."""
    verdict = event.message["context"].get("bot")
    return verdict if isinstance(verdict, dict) else {}


def _maker(context: dict[str, Any]) -> str | None:
    device = context.get("device")
    brand = device.get("brand") if isinstance(device, dict) else None
    return brand if isinstance(brand, str) else None


def _behaves(text: str, *, is_named: bool) -> bool:
    """Tell whether a known maker's device is a bot: by its name and its manner, or by a strong sign."""
    return has_manner(text) and (is_named or has_manner(_OF_DEVICES.sub("", text) + _TAIL))


def _automation(sign: object) -> Verdict | None:
    kind = _AUTOMATION.get(sign) if isinstance(sign, str) else None
    return _verdict(kind, why=str(sign)) if kind else None


def _by_headers(headers: Mapping[str, str], *, nameless: bool) -> Verdict | None:
    """Judge a browser's request by the headers that every browser sends and those that only bots do."""
    if nameless:
        return _verdict("unknown", why="no_user_agent")
    if "Accept-Language" not in headers and "Sec-Fetch-Mode" not in headers:
        return _verdict("unknown", why="headers")
    if "From" in headers and "bot" in headers["From"].lower():
        return _verdict("search", why="from")
    for name in _PREFETCH_HEADERS:
        if name in headers and headers[name].startswith(("prefetch", "prerender", "preview")):
            return _verdict("preview", why="prefetch")
    return None


def _verdict(kind: str, name: str | None = None, why: str = "user_agent") -> Verdict:
    told: Verdict = {"is": True, "name": name, "kind": kind, "why": why}
    return {key: value for key, value in told.items() if value is not None}


@lru_cache(1)
def _manners() -> UserAgentExtractor:
    """Return the engine of is-bot's patterns: those without exceptions, then the others less theirs."""
    others = _with_exceptions().patterns
    sure = ((pattern, _SURE) for pattern in Bots().patterns - others)
    return engines.screen((*sure, *((_LOOKAROUND.sub("", pattern), _UNSURE) for pattern in others)))


@lru_cache(1)
def _with_exceptions() -> Bots:
    return Bots(pattern for pattern in Bots().patterns if _LOOKAROUND.search(pattern))
