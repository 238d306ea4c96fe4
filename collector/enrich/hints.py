"""Client hints: what Chromium says of itself beside a frozen user agent, in headers or by the tracker.

https://wicg.github.io/ua-client-hints/ . The tracker asks for the detailed ones only if its source does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from collector.recall import remembered

_BRAND = re.compile(r'"((?:[^"\\]|\\.)*)"\s*;\s*v="([^"]*)"')
# A brand that changes with every release, so that nobody relies on the list: Not_A Brand, Not(A:Brand, …
_GREASE = re.compile(r"not.*brand", re.IGNORECASE)
_ENGINES = {"Chromium", "Android WebView", "Microsoft Edge WebView2"}
# Names as the user agent engine gives them.
_NAMES = {"Google Chrome": "Chrome", "Microsoft Edge": "Edge", "Opera Mobile": "Opera Mobile"}
_SYSTEMS = {"macOS": "Mac OS X", "Chrome OS": "Chrome OS", "Chromium OS": "Chrome OS"}
_FROZEN_ANDROID = re.compile(r"Android 10; K(?=[;)])")
_WINDOWS_11 = 13  # platformVersion of its first release


@dataclass(frozen=True, slots=True)
class Hints:
    """The hints of one client; an empty text or None is a hint that was not given."""

    brand: str = ""
    version: str = ""
    mobile: bool | None = None
    platform: str = ""
    platform_version: str = ""
    model: str = ""


def from_tracker(data: dict[str, Any]) -> Hints:
    """Return the hints of ``context.userAgentData``."""
    brand, version = _choose(_listed(data.get("fullVersionList")) or _listed(data.get("brands")))
    mobile = data.get("mobile")
    texts = (_text(data.get(key)) for key in ("platform", "platformVersion", "model"))
    return Hints(brand, version, mobile if isinstance(mobile, bool) else None, *texts)


@remembered(1024)
def from_headers(brands: str, mobile: str, platform: str) -> Hints:
    """Return the hints of Sec-CH-UA, Sec-CH-UA-Mobile and Sec-CH-UA-Platform, all of bounded length."""
    brand, version = _choose(_BRAND.findall(brands))
    return Hints(brand, version, {"?1": True, "?0": False}.get(mobile), platform.strip('"'))


def unfrozen(text: str, hints: Hints) -> str:
    """Return the user agent as it would be, had the browser not frozen Android's version and model."""
    if not hints.model:
        return text
    version = hints.platform_version.split(".")[0] or "10"
    return _FROZEN_ANDROID.sub(lambda _: f"Android {version}; {hints.model}", text)


def corrections(hints: Hints, told: dict[str, Any]) -> dict[str, Any]:
    """Return what the hints know better than the user agent: brand, full version, system."""
    better: dict[str, Any] = {}
    if hints.brand and hints.brand not in _ENGINES:
        better["browser"] = _browser(hints, told.get("browser") or {})
    if system := _system(hints, known=bool(told.get("os"))):
        better["os"] = system
    device = told.get("device") or {}
    if hints.mobile and device.get("type") not in {"phone", "tablet"}:
        better["device"] = {**device, "type": "phone"}
    return better


def _browser(hints: Hints, told: dict[str, str]) -> dict[str, str]:
    name = _NAMES.get(hints.brand, hints.brand)
    known = told.get("name", "")
    if known.startswith(name):  # the engine is finer: Chrome Mobile, Edge Mobile
        full = hints.version if "." in hints.version else told.get("version", hints.version)
        return {"name": known, "version": full}
    return {"name": name, "version": hints.version} if hints.version else {"name": name}


def _system(hints: Hints, *, known: bool) -> dict[str, str] | None:
    """Return the system with its true version; without one only a system that the user agent hides."""
    version, name = hints.platform_version, _SYSTEMS.get(hints.platform, hints.platform)
    if not version or hints.platform not in {"Windows", "macOS", "Android"}:
        return {"name": name} if name and not known else None
    if hints.platform == "Windows":
        first = version.split(".")[0]
        version = "11" if first.isdigit() and int(first) >= _WINDOWS_11 else "10"
    return {"name": name, "version": version}


def _choose(brands: list[tuple[str, str]]) -> tuple[str, str]:
    """Return the brand that names the product: neither grease nor, if there is another, the engine."""
    real = [pair for pair in brands if not _GREASE.search(pair[0])]
    products = [pair for pair in real if pair[0] not in _ENGINES]
    return next(iter(products or real), ("", ""))


def _listed(brands: Any) -> list[tuple[str, str]]:
    if not isinstance(brands, list):
        return []
    rows = (row for row in brands[:8] if isinstance(row, dict))
    return [(_text(row.get("brand")), _text(row.get("version"))) for row in rows]


def _text(value: Any) -> str:
    return value[:64] if isinstance(value, str) else ""
