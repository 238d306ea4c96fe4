"""How many known crawlers are found, and how many browsers are taken for one.

    python -m benchmarks.bots [FOLDER]

FOLDER holds a checkout of github.com/omrilotan/isbot, whose fixtures no package carries; without it they are
left out. uap-core's cases come with a crate, crawler-user-agents' with its package.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from collector.enrich import agent, bots
from tests.enrich.uap_core import uap_core

if TYPE_CHECKING:
    from collections.abc import Iterable


def main() -> None:
    """Print the table."""
    _row(
        "recall, crawler-user-agents", (text for row in CRAWLER_USER_AGENTS_DATA for text in row["instances"])
    )
    _row("false positives, uap-core's browsers", _browsers())
    for name in sys.argv[1:]:
        fixtures = Path(name) / "fixtures"
        _row("recall, isbot's crawlers", _isbot(fixtures / "crawlers.yml"))
        _row("called bots, isbot's browsers", _isbot(fixtures / "browsers.yml"))


def _row(title: str, texts: Iterable[str]) -> None:
    unique = set(texts)
    found = sum(_is_bot(text) for text in unique)
    print(f"{title:<38} {found:>6} of {len(unique):>6}  {found / len(unique):>8.3%}")


def _is_bot(text: str) -> bool:
    cut = text[: agent.LONGEST]
    return bots.read(cut, (agent.read(cut)["device"] or {}).get("brand")) is not None


def _browsers() -> Iterable[str]:
    """Return uap-core's devices that are no Spider and call themselves Mozilla or Opera, as browsers do."""
    for case in uap_core()["device"]:
        if case["family"] != "Spider" and case["user_agent_string"].startswith(("Mozilla/", "Opera/")):
            yield case["user_agent_string"]


def _isbot(file: Path) -> Iterable[str]:
    for texts in yaml.safe_load(file.read_text(encoding="utf-8")).values():
        yield from texts if isinstance(texts, list) else [texts]


if __name__ == "__main__":
    main()
