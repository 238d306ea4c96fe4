"""What a web source's form says of the tracker's presets: what each is for, what it weighs, what is in it."""

from __future__ import annotations

from collector.model import Source
from collector.sources.features import PRESETS, build
from collector.sources.settings import WebSettings
from collector.tracker import render


def purposes() -> dict[str, str]:
    """Return what each preset is for, and the kB (gzip) that its tracker weighs with nothing else set."""
    return {
        name: f"{purpose}. {_bytes(name) / 1000:.1f}\u00a0kB (gzip)." for name, purpose in PRESETS.items()
    }


def within() -> dict[str, str]:
    """Return the names of the features that each preset has."""
    return {name: "" if names == (name,) else ", ".join(names) for name, names in build().presets.items()}


def _bytes(preset: str) -> int:
    return len(render(Source("new", "New", "web", WebSettings(preset=preset))).gzip)
