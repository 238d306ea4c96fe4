"""What became of one message: opens, clicks and unsubscribes, in all, by recipients, and by people.

An estimate: what a machine surely or probably did is no person's, and who clicks has opened.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_MACHINES = ("high", "medium")


@dataclass(slots=True)
class Tally:
    """Counts of opens or of clicks. ``unnamed`` are those in ``total`` that are nobody's by consent.

    ``human_estimated`` are recipients, and of the unnamed each that no machine made.
    """

    total: int = 0
    unique: int = 0
    unnamed: int = 0
    human_estimated: int = 0


@dataclass(slots=True)
class Report:
    """The counts of a message; ``machines`` are the labels of its opens and clicks by kind."""

    opens: Tally = field(default_factory=Tally)
    clicks: Tally = field(default_factory=Tally)
    unsubscribes: int = 0
    machines: dict[str, int] = field(default_factory=dict)


class _Seen(NamedTuple):
    id: str
    recipient: str | None
    label: dict[str, str]

    @property
    def by_person(self) -> bool:
        return self.label.get("confidence") not in _MACHINES


def report(events: Iterable[dict[str, Any]]) -> Report:
    """Return the report of a message's events, in any order, its corrections among them."""
    opens, clicks, unsubscribes, corrected = _sorted(events)
    clicks = [each._replace(label=corrected.get(each.id, each.label)) for each in clicks]
    machines = Counter(each.label["kind"] for each in (*opens, *clicks) if each.label)
    clickers = _people(clicks)
    return Report(
        _tally(opens, _people(opens) | clickers), _tally(clicks, clickers), len(unsubscribes), dict(machines)
    )


def _sorted(
    events: Iterable[dict[str, Any]],
) -> tuple[list[_Seen], list[_Seen], set[str | None], dict[str, dict[str, str]]]:
    """Return opens, clicks, who unsubscribed, and corrections by the id of their click; of each the least."""
    opens, clicks = list[_Seen](), list[_Seen]()
    unsubscribes, corrected = set[str | None](), dict[str, dict[str, str]]()
    for event in events:
        seen = _Seen(event["messageId"], event.get("anonymousId"), event["collector"].get("machine", {}))
        match event.get("event"):
            case "Email Opened":
                opens.append(seen)
            case "Email Link Clicked":
                clicks.append(seen)
            case "Unsubscribed":
                unsubscribes.add(seen.recipient)
            case "Email Click Corrected":
                corrected[event["properties"]["corrects"]] = seen.label
    return opens, clicks, unsubscribes, corrected


def _people(seen: list[_Seen]) -> set[str]:
    return {each.recipient for each in seen if each.recipient and each.by_person}


def _tally(seen: list[_Seen], people: set[str]) -> Tally:
    unnamed = [each for each in seen if not each.recipient]
    human = len(people) + sum(each.by_person for each in unnamed)
    return Tally(len(seen), len({each.recipient for each in seen} - {None}), len(unnamed), human)
