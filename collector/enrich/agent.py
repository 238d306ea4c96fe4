"""What the user agent tells: browser, system, device. The Rust engine parses, user-agents classifies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.enrich import engines, hints
from collector.enrich.classes import Browser, Device, OperatingSystem, UserAgent
from collector.enrich.visitors import consented
from collector.recall import remembered

if TYPE_CHECKING:
    from collector.model import Hit

# Longer ones are cut: no real browser sends more, and the cache's memory stays bounded.
LONGEST = 512
_CACHED = 4096
_CLASSES = (
    ("bot", "is_bot"),
    ("tablet", "is_tablet"),
    ("phone", "is_mobile"),
    ("pc", "is_pc"),
    ("touch", "is_touch_capable"),
)


class _Classified(UserAgent):  # type: ignore[misc]
    """user-agents' classes of device over the Rust engine, which its own constructor does not use.

    They ask for families and for the beginning of the system's version, and for no other version.
    """

    def __init__(self, text: str, agent: Any, os: Any, device: Any) -> None:
        self.ua_string = text
        self.browser = Browser(_family(agent), (), "")
        self.os = OperatingSystem(_family(os), (), (os and os.major) or "")
        self.device = Device(_family(device), None, None)


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:
    """Tell browser, os and device from ``context.userAgent``; client hints win over a frozen one."""
    text = context.get("userAgent")
    if not isinstance(text, str) or not text:
        return {}
    text = text[:LONGEST]
    data = context.get("userAgentData")
    if isinstance(data, dict) and data and (hit.source.privacy.consent == "none" or consented(context)):
        return _hinted(text, hints.from_tracker(data))
    brands = hit.headers.get("Sec-CH-UA")
    if not brands:
        return read(text)
    mobile, platform = hit.headers.get("Sec-CH-UA-Mobile", ""), hit.headers.get("Sec-CH-UA-Platform", "")
    return _read_with_headers(text, brands[:LONGEST], mobile[:8], platform[:64])


@remembered(_CACHED)
def _read_with_headers(text: str, brands: str, mobile: str, platform: str) -> dict[str, Any]:
    return _hinted(text, hints.from_headers(brands, mobile, platform))


def _hinted(text: str, hinted: hints.Hints) -> dict[str, Any]:
    told = read(hints.unfrozen(text, hinted)[:LONGEST])
    return {**told, **hints.corrections(hinted, told)}


@remembered(_CACHED)
def read(text: str) -> dict[str, Any]:
    """Return browser, os and device of a user agent. The result is shared: never change it."""
    known = engines.uap_core()
    agent, os, device = known.browsers.extract(text), known.systems.extract(text), known.devices.extract(text)
    kind = _kind(_Classified(text, agent, os, device))
    maker = {"brand": device.brand, "model": device.model} if device else {}
    return {
        "browser": _named(agent),
        "os": _named(os),
        "device": _without_none(type=kind, **maker) or None,
    }


def _family(found: Any) -> str:
    return found.family if found else "Other"


def _kind(agent: _Classified) -> str | None:
    """Return the first class that fits; each is asked for only when those before it do not."""
    return next((name for name, attribute in _CLASSES if getattr(agent, attribute)), None)


def _named(found: Any) -> dict[str, str] | None:
    """Return a name and its version, None for one that the engine does not know."""
    if found is None or found.family == "Other":
        return None
    version = (found.major, found.minor, found.patch, found.patch_minor)
    parts = version[: version.index(None)] if None in version else version
    return _without_none(name=found.family, version=".".join(filter(None, parts)) or None)


def _without_none(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}
