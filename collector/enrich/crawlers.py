"""The crawlers that are known by name, and the kind of each: our list of AI's, then crawler-user-agents'.

Nearly all of 1,500 names are plain words. Each would take 5 KiB as a pattern of an engine; found by their
first letters, all of them take less than 1 MiB.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from collector.enrich import engines
from collector.enrich.data import facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ua_parser_rs import UserAgentExtractor

Letters: TypeAlias = tuple[str, str, str, str]

# The package's tags, in the order that counts when a crawler has several.
_KIND_OF_TAG = {
    "ai-crawler": "ai",
    "search-engine": "search",
    "social-preview": "preview",
    "browser-automation": "headless",
    "monitoring": "monitor",
    "http-library": "tool",
    "seo": "tool",
    "scanner": "tool",
    "advertising": "tool",
    "feed-reader": "tool",
    "archiver": "tool",
    "academic": "tool",
}
# A pattern that is nothing but a word: four letters or more that stand for themselves, or are escaped to.
_WORD = re.compile(r"(?:[A-Za-z0-9 _/:;,@!&='\"%<>~-]|\\[^A-Za-z0-9]){4,}")


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known, by its place in the lists."""

    kinds: tuple[str, ...]
    words: dict[Letters, list[tuple[int, str]]]  # by their first letters
    others: UserAgentExtractor  # patterns that are no words; ``major`` is the place


def named(text: str) -> tuple[str, str] | None:
    """Return name and kind of the crawler that a text names: of several, the first in the lists."""
    known = _known()
    begun = known.words.keys() & zip(text, text[1:], text[2:], text[3:], strict=False)
    found = [each for letters in begun for each in known.words[letters] if each[1] in text]
    other = known.others.extract(text)
    if other is not None:
        found.append((int(other.major or 0), other.family))
    if not found:
        return None
    place, name = min(found)
    return name, known.kinds[place]


@lru_cache(1)
def _known() -> _Known:
    listed = list(_listed())
    words: dict[Letters, list[tuple[int, str]]] = {}
    others = []
    for place, (pattern, _) in enumerate(listed):
        if _WORD.fullmatch(pattern):
            word = re.sub(r"\\(.)", r"\1", pattern)
            words.setdefault((word[0], word[1], word[2], word[3]), []).append((place, word))
        else:
            others.append((pattern, str(place)))
    return _Known(tuple(kind for _, kind in listed), words, engines.finder(others))


def _listed() -> Iterator[tuple[str, str]]:
    """Yield the patterns of the lists, and their kinds."""
    for name in facts("ai_crawlers")["names"]:
        yield f"(?i){re.escape(name)}", "ai"
    # The package itself would keep its list, with all the examples: 4 MiB.
    file = distribution("crawler-user-agents").locate_file("crawleruseragents/crawler-user-agents.json")
    rows: list[dict[str, Any]] = orjson.loads(Path(str(file)).read_bytes())
    for row in rows:
        yield row["pattern"], _kind(row.get("tags", ()))


def _kind(tags: Iterable[str]) -> str:
    return next((kind for tag, kind in _KIND_OF_TAG.items() if tag in tags), "unknown")
