"""What the built tracker offers: its fragments, presets and settings, read once from the built asset."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from collector.assets import asset

if TYPE_CHECKING:
    from collections.abc import Collection

# What each is for; the build says what is in it.
PRESETS = {
    "lite": "Views and your own events in the fewest bytes; what the network drops is lost",
    "core": "Views and your own events, kept and sent again until they have arrived",
    "typical": "What most sites look at: visits, campaigns, links, forms, how long and how far people read",
    "everything": "All that the tracker can do, to try it out",
}


@dataclass(frozen=True, slots=True)
class Fragment:
    """One minified piece of the tracker; ``requires`` names the fragments it builds on.

    ``instead`` names what stands for a fragment that is a whole tracker when others are to join it.
    ``rare`` names settings that few sources make, ``plain`` is the code where none of them is made; ``sets``
    are those that the code changes while a page lives.
    """

    name: str
    code: str
    requires: tuple[str, ...]
    instead: tuple[str, ...] = ()
    help: str = ""
    rare: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    plain: str = ""

    def code_for(self, told: Collection[str]) -> str:
        """Return the code for a tracker in which these settings are set or changed."""
        return self.code if not self.plain or any(key in told for key in self.rare) else self.plain


@dataclass(frozen=True, slots=True)
class Build:
    """The built tracker: its version, its fragments in the order of joining, and what can be set."""

    version: str
    fragments: tuple[Fragment, ...]
    presets: dict[str, tuple[str, ...]]
    settings: dict[str, dict[str, Any]]

    def choose(self, preset: str, features: tuple[str, ...]) -> list[Fragment]:
        """Return the fragments of a preset, the added features and all they build on, in order."""
        wanted: set[str] = set()
        by_name = {fragment.name: fragment for fragment in self.fragments}
        todo = [*self.presets[preset], *features]
        if len(todo) > 1:
            todo = [name for chosen in todo for name in by_name[chosen].instead or (chosen,)]
        while todo:
            name = todo.pop()
            if name not in wanted:
                wanted.add(name)
                todo += by_name[name].requires
        return [fragment for fragment in self.fragments if fragment.name in wanted]


@cache
def build() -> Build:
    """Read the built tracker."""
    data: dict[str, Any] = orjson.loads(asset("snippet/dist/tracker.json").read_bytes())
    fragments = tuple(
        Fragment(
            item["name"],
            item["code"],
            tuple(item["requires"]),
            tuple(item.get("instead", ())),
            item["help"],
            tuple(item.get("rare", ())),
            tuple(item.get("sets", ())),
            item.get("plain", ""),
        )
        for item in data["fragments"]
    )
    presets = {name: tuple(names) for name, names in data["presets"].items()}
    return Build(data["build"], fragments, presets, data["settings"])


def has_feature(settings: Any, name: str) -> bool:
    """Tell whether the tracker of a web source, by its settings, carries a feature."""
    return any(fragment.name == name for fragment in build().choose(settings.preset, settings.features))


def can_opt_out(settings: Any) -> bool:
    """Tell whether a visitor can switch the tracker off: any but `lite` by itself, which keeps nothing."""
    return has_feature(settings, "base")


def known_features() -> set[str]:
    """Return the names of all features of the built tracker."""
    return {fragment.name for fragment in build().fragments}
