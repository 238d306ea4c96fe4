"""What the user agent tells: browser, system, device. The Rust engine parses, user-agents classifies."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import ua_parser
import ua_parser.loaders
import ua_parser.regex
from user_agents.parsers import UserAgent, parse_browser, parse_device, parse_operating_system

if TYPE_CHECKING:
    from collector.model import Hit

# Longer ones are cut: no real browser sends more, and the cache's memory stays bounded.
_LONGEST = 512
_CACHED = 4096


class _Classified(UserAgent):  # type: ignore[misc]
    """user-agents' classes of device over the Rust engine, which its own constructor does not use."""

    def __init__(self, text: str) -> None:
        result = _engine()(text, ua_parser.Domain.ALL).complete().with_defaults()
        agent, os, device = result.user_agent, result.os, result.device
        self.ua_string = text
        self.browser = parse_browser(agent.family, agent.major, agent.minor, agent.patch)
        self.os = parse_operating_system(os.family, os.major, os.minor, os.patch, os.patch_minor)
        self.device = parse_device(device.family, device.brand, device.model)


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:  # noqa: ARG001 - every step has the same shape
    """Tell browser, os, device and bot from ``context.userAgent``."""
    text = context.get("userAgent")
    return read(text[:_LONGEST]) if isinstance(text, str) and text else _UNKNOWN


@lru_cache(_CACHED)
def read(text: str) -> dict[str, Any]:
    """Return the parts of the context that a user agent gives. The result is shared: never change it."""
    agent = _Classified(text)
    return {
        "browser": _named(agent.browser.family, agent.browser.version_string),
        "os": _named(agent.os.family, agent.os.version_string),
        "device": _without_none(type=_kind(agent), brand=agent.device.brand, model=agent.device.model),
        "bot": {"is": True, "name": agent.browser.family, "why": "user_agent"} if agent.is_bot else None,
    }


_UNKNOWN: dict[str, Any] = dict.fromkeys(("browser", "os", "device", "bot"))


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


def _named(name: str, version: str) -> dict[str, str] | None:
    return None if name == "Other" else _without_none(name=name, version=version or None)


def _without_none(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}
