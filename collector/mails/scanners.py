"""Scanners that look like browsers: what gives them away once all clicks of one mail are seen together.

People do not follow two links of a mail within a second, and not one that they cannot see. How long a scanner
comes after the delivery tells nothing: half of them come after 43 s (craft-campaign, issue 546).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BURST_MS = 1000
TRAP_MS = 10_000  # a scanner's clicks before and after the one on the honeypot
VERSION = "2026-11-24"
_SURE = 3  # links in a burst


@dataclass(frozen=True, slots=True)
class Click:
    """A click on a mail: its event's id, its time in milliseconds, the link's number and target."""

    id: str
    at: int
    index: int
    target: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a click is a scanner's, and how surely: ``burst`` or ``honeypot``, ``medium`` or ``high``."""

    why: str
    confidence: str


def find_scanners(clicks: Sequence[Click]) -> dict[str, Finding]:
    """Return what is found out about the clicks of one mail to one recipient, by event id."""
    found: dict[str, Finding] = {}
    for each in clicks:
        near = [other for other in clicks if 0 <= other.at - each.at <= BURST_MS]
        links = len({other.target for other in near})
        sure = "high" if links >= _SURE else "medium"
        if links > 1:
            found |= {one.id: Finding("burst", sure) for one in near if not _is_sure(found.get(one.id))}
    for trap in (each for each in clicks if each.index == 0):
        near = [other for other in clicks if abs(other.at - trap.at) <= TRAP_MS]
        found |= {one.id: Finding("honeypot", "high") for one in near}
    return found


def _is_sure(finding: Finding | None) -> bool:
    return finding is not None and finding.confidence == "high"
