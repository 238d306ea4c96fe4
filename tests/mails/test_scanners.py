"""Scanners are found by how they click, a report counts people apart from them."""

from __future__ import annotations

from typing import Any

import pytest

from collector.mails.report import Report, Tally, report
from collector.mails.scanners import Click, find_scanners


def clicks(*each: tuple[int, int]) -> list[Click]:
    """Return clicks of (time, link); link 0 is the honeypot and leads where link 1 does."""
    return [
        Click(f"e{number}", at, link, f"https://s.example/{link or 1}")
        for number, (at, link) in enumerate(each)
    ]


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        ([(0, 1)], {}),
        ([(0, 1), (100, 1), (200, 1)], {}),  # a person clicks again
        ([(0, 1), (1001, 2), (5000, 3)], {}),
        ([(0, 1), (1000, 2)], {"e0": "burst medium", "e1": "burst medium"}),
        ([(0, 1), (300, 2), (900, 3)], {f"e{n}": "burst high" for n in range(3)}),
        ([(0, 1), (300, 2), (900, 3), (60_000, 1)], {f"e{n}": "burst high" for n in range(3)}),
        ([(900, 3), (0, 1), (300, 2)], {f"e{n}": "burst high" for n in range(3)}),
        ([(0, 0)], {"e0": "honeypot high"}),
        (
            [(0, 1), (10_000, 0), (20_000, 2), (20_001, 3)],
            {"e0": "honeypot high", "e1": "honeypot high", "e2": "honeypot high", "e3": "burst medium"},
        ),
    ],
)
def test_how_scanners_click(seen: list[tuple[int, int]], found: dict[str, str]) -> None:
    told = {name: f"{each.why} {each.confidence}" for name, each in find_scanners(clicks(*seen)).items()}

    assert told == found


def event(name: str, number: int, recipient: str | None = None, **machine: str) -> dict[str, Any]:
    told = {"messageId": f"e{number}", "event": name, "properties": {"email_id": "m"}, "collector": {}}
    return {
        **told,
        **({"anonymousId": recipient} if recipient else {}),
        "collector": {"machine": machine} if machine else {},
    }


def test_a_report_counts_all_recipients_and_people() -> None:
    apple = {"kind": "apple_mpp", "confidence": "high"}
    gmail = {"kind": "gmail_proxy", "confidence": "low"}
    scanner = {"kind": "scanner", "confidence": "medium"}
    correction = event("Email Click Corrected", 9, "r4", **scanner)
    correction["properties"]["corrects"] = "e7"
    events = [
        correction,
        event("Email Opened", 1, "r1"),
        event("Email Opened", 2, "r1"),
        event("Email Opened", 3, "r2", **apple),
        event("Email Opened", 4, "r3", **gmail),
        event("Email Opened", 5),
        event("Email Opened", 6, **apple),
        event("Email Link Clicked", 7, "r4"),
        event("Email Link Clicked", 8, "r2"),
        event("Unsubscribed", 10, "r1"),
        event("Unsubscribed", 11, "r1"),
    ]

    told = report(events)

    assert told == Report(
        opens=Tally(total=6, unique=3, unnamed=2, human_estimated=4),  # r1, r3, unnamed, and r2 who clicked
        clicks=Tally(total=2, unique=2, unnamed=0, human_estimated=1),
        unsubscribes=1,
        machines={"apple_mpp": 2, "gmail_proxy": 1, "scanner": 1},
    )


def test_a_report_of_nothing_is_zeros() -> None:
    assert report([]) == Report()
