"""What the user agent tells: browser, system, device. The Rust engine parses, user-agents classifies."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import ua_parser
import ua_parser.loaders
import ua_parser.regex
from user_agents.parsers import UserAgent, parse_browser, parse_device, parse_operating_system

from collector.enrich import hints

if TYPE_CHECKING:
    from collector.model import Hit

# Longer ones are cut: no real browser sends more, and the cache's memory stays bounded.
LONGEST = 512
_CACHED = 4096


class _Classified(UserAgent):  # type: ignore[misc]
    """user-agents' classes of device over the Rust engine, which its own constructor does not use."""

    def __init__(self, text: str, result: ua_parser.DefaultedResult) -> None:
        agent, os, device = result.user_agent, result.os, result.device
        self.ua_string = text
        self.browser = parse_browser(agent.family, agent.major, agent.minor, agent.patch)
        self.os = parse_operating_system(os.family, os.major, os.minor, os.patch, os.patch_minor)
        self.device = parse_device(device.family, device.brand, device.model)


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:
    """Tell browser, os and device from ``context.userAgent``; client hints win over a frozen one."""
    text = context.get("userAgent")
    if not isinstance(text, str) or not text:
        return {}
    text = text[:LONGEST]
    data = context.get("userAgentData")
    if isinstance(data, dict) and data:
        return _hinted(text, hints.from_tracker(data))
    brands = hit.headers.get("Sec-CH-UA")
    if not brands:
        return read(text)
    mobile, platform = hit.headers.get("Sec-CH-UA-Mobile", ""), hit.headers.get("Sec-CH-UA-Platform", "")
    return _read_with_headers(text, brands[:LONGEST], mobile[:8], platform[:64])


@lru_cache(_CACHED)
def _read_with_headers(text: str, brands: str, mobile: str, platform: str) -> dict[str, Any]:
    return _hinted(text, hints.from_headers(brands, mobile, platform))


def _hinted(text: str, hinted: hints.Hints) -> dict[str, Any]:
    told = read(hints.unfrozen(text, hinted)[:LONGEST])
    return {**told, **hints.corrections(hinted, told)}


@lru_cache(_CACHED)
def read(text: str) -> dict[str, Any]:
    """Return browser, os and device of a user agent. The result is shared: never change it."""
    result = _engine()(text, ua_parser.Domain.ALL).complete().with_defaults()
    agent, os, device = result.user_agent, result.os, result.device
    return {
        "browser": _named(agent.family, agent.major, agent.minor, agent.patch, agent.patch_minor),
        "os": _named(os.family, os.major, os.minor, os.patch, os.patch_minor),
        "device": _without_none(type=_kind(_Classified(text, result)), brand=device.brand, model=device.model)
        or None,
    }


@lru_cache(1)
def _engine() -> ua_parser.Parser:
    return ua_parser.Parser(ua_parser.regex.Resolver(ua_parser.loaders.load_lazy_builtins()))


def _kind(agent: _Classified) -> str | None:
    classes = {
        "bot": agent.is_bot,
        "tablet": agent.is_tablet,
        "phone": agent.is_mobile,
        "pc": agent.is_pc,
        "touch": agent.is_touch_capable,
    }
    return next((name for name, fits in classes.items() if fits), None)


def _named(name: str, *version: str | None) -> dict[str, str] | None:
    """Return a name and its version, None for one that the engine does not know."""
    if name == "Other":
        return None
    parts = version[: version.index(None)] if None in version else version
    return _without_none(name=name, version=".".join(filter(None, parts)) or None)


def _without_none(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}
