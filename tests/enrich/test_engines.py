"""The engines are built small, and find what the packages' own patterns find."""

from __future__ import annotations

import re
from functools import cache

import ua_parser_rs
from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from is_bot import Bots
from ua_parser.loaders import load_lazy_builtins
from ua_parser.regex import Resolver

from collector.enrich import bots, crawlers, engines
from collector.enrich.agent import LONGEST
from collector.enrich.data import facts
from tests.enrich.uap_core import uap_core


@cache
def _texts() -> list[str]:
    """Return the user agents of uap-core's cases, and the examples of crawler-user-agents."""
    cases = {case["user_agent_string"] for kind in uap_core().values() for case in kind}
    crawled = {text for row in CRAWLER_USER_AGENTS_DATA for text in row["instances"]}
    return sorted(text[:LONGEST] for text in cases | crawled)


def _fields(found: object, *names: str) -> list[str] | None:
    return None if found is None else [getattr(found, name) for name in names]


def test_lean_engines_find_what_uap_cores_patterns_find() -> None:
    full, lean = Resolver(load_lazy_builtins()), engines.uap_core()
    version = ("family", "major", "minor", "patch", "patch_minor")
    device = ("family", "brand", "model")

    for text in _texts():
        assert _fields(full.ua.extract(text), *version) == _fields(lean.browsers.extract(text), *version)
        assert _fields(full.os.extract(text), *version) == _fields(lean.systems.extract(text), *version)
        assert _fields(full.de.extract(text), *device) == _fields(lean.devices.extract(text), *device)


def test_a_crawlers_name_is_that_of_the_first_pattern_that_fits() -> None:
    names = facts("ai_crawlers")["names"]
    patterns = [f"(?i)({re.escape(name)})" for name in names]
    patterns += [f"({row['pattern']})" for row in CRAWLER_USER_AGENTS_DATA]
    engine = ua_parser_rs.UserAgentExtractor((each, None, None, None, None, None) for each in patterns)

    for text in _texts():
        first, found = engine.extract(text), crawlers.named(text)
        assert (first and first.family) == (found and found[0])


def test_a_bots_manner_is_what_is_bot_says() -> None:
    """But for what it finds by letters that ASCII does not have: the engine takes those for no words."""
    package = Bots()

    for text in filter(str.isascii, _texts()[::5]):  # its own search takes 0.3 ms
        assert bots.has_manner(text) == package.is_bot(text)
