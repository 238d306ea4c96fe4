"""Two systems side by side: events by day and kind, theirs from an export, ours from the stream.

It counts, and says what usually makes such a difference; it knows neither files nor Redis.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from collector.archives.units import CUTS
from collector.enrich import bots
from collector.enrich.agent import LONGEST
from collector.model import Reason, Refusal
from collector.protocols import Limits
from collector.protocols.clock import to_ms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from datetime import tzinfo

    from collector.archives import Format, Opened
    from collector.model import Source
    from collector.stream.feed import Entry

COUNTS = "counts"
_ABOUT_COUNTS = "Numbers by day as CSV: a column of days, one of numbers, and if there is one, one of names"
_NUMBERS = ("count", "events", "pageviews", "views", "hits")
_NAMES = ("event", "kind", "name")
_DAYS = ("day", "date")
_UNLIMITED = Limits(events=1_000_000, event_bytes=1 << 30, depth=100)
_LONGEST_UNIT = 64 * 1024**2
_ALIKE = 0.02  # of a number: so little says nothing

Key = tuple[str, str]


@dataclass(slots=True)
class Count:
    """Events by day and kind: page, the name of a track event, or another type."""

    numbers: Counter[Key] = field(default_factory=Counter)
    bots: Counter[str] = field(default_factory=Counter)
    unread: int = 0
    first: datetime | None = None

    def add(self, message: Mapping[str, Any], zone: tzinfo, *, is_bot: bool = False) -> None:
        """Count an event by its own time."""
        at = datetime.fromtimestamp((to_ms(message["timestamp"]) or 0) / 1000, UTC).astimezone(zone)
        day, kind = at.date().isoformat(), str(message.get("event") or message["type"])
        self.numbers[day, kind] += 1
        self.first = min(self.first, at) if self.first else at
        if "bot" in message["context"] or is_bot:
            self.bots[day] += 1


@dataclass(frozen=True, slots=True)
class Row:
    """A day's events of a kind on both sides, and what may be why they differ."""

    day: str
    kind: str
    theirs: int
    ours: int
    why: list[str]

    @property
    def difference(self) -> float | None:
        """How much more of theirs is ours, as a share of 1; None where they have none."""
        return (self.ours - self.theirs) / self.theirs if self.theirs else None


def count_export(archive: Opened, form: Format, source: Source, site: str, zone: tzinfo) -> Count:
    """Count the events of an export. Raises ArchiveError."""
    count, now = Count(), int(datetime.now(UTC).timestamp() * 1000)
    for unit in CUTS[form.cut](archive.chunks(), _LONGEST_UNIT):
        try:
            if unit.refusal:
                raise unit.refusal
            item = form.read(unit.raw, site)
            batch = item.protocol(item.hit(source, now, f"{unit.number}"), _UNLIMITED) if item else None
        except Refusal:
            count.unread += 1
            continue
        if item and batch:
            count.unread += len(batch.refused)
            is_bot = bots.read(item.headers.get("User-Agent", "")[:LONGEST]) is not None
            for event in batch.events:
                count.add(event.message, zone, is_bot=is_bot)
    return count


def count_numbers(archive: Opened) -> Count:
    """Add up an export that has numbers only. Raises ArchiveError, Refusal when it has no such columns."""
    count = Count()
    for unit in CUTS["rows"](archive.chunks(), _LONGEST_UNIT):
        row = {} if unit.refusal else {name.lower(): value for name, value in unit.raw.items()}
        day, number = _first(row, _DAYS), _first(row, _NUMBERS)
        if not day or not number:
            raise Refusal(Reason.BAD_LINE, f"Row {unit.number} has no day or no number. {_ABOUT_COUNTS}.")
        try:
            when = datetime.fromisoformat(day).date().isoformat()
            count.numbers[when, _first(row, _NAMES) or "page"] += int(number)
        except ValueError:
            raise Refusal(Reason.BAD_LINE, f"Row {unit.number}: {day!r} or {number!r} is none.") from None
    return count


async def count_ours(entries: AsyncIterator[Entry], zone: tzinfo) -> Count:
    """Count the entries of the stream."""
    count = Count()
    async for entry in entries:
        count.add(entry.body, zone)
    return count


def compare(theirs: Count, ours: Count, refused: Mapping[str, Mapping[str, int]]) -> list[Row]:
    """Return the days that the export has, by day, the most frequent kind first.

    ``refused`` tells for each day why events of ours were refused or dropped.
    """
    days = {day for day, _ in theirs.numbers}
    keys = {*theirs.numbers, *(key for key in ours.numbers if key[0] in days)}
    ordered = sorted(keys, key=lambda key: (key[0], -theirs.numbers[key], -ours.numbers[key], key[1]))
    return [
        Row(*key, theirs.numbers[key], ours.numbers[key], _why(key, theirs, ours, refused.get(key[0], {})))
        for key in ordered
    ]


def days_of(count: Count) -> list[int]:
    """Return the days of an export, counted since 1970."""
    return sorted({(date.fromisoformat(day) - date(1970, 1, 1)).days for day, _ in count.numbers})


def _why(key: Key, theirs: Count, ours: Count, refused: Mapping[str, int]) -> list[str]:
    their, our, (day, _) = theirs.numbers[key], ours.numbers[key], key
    if abs(our - their) <= _ALIKE * max(our, their):
        return []
    if our > their:
        return list(_more(day, their, ours))
    return [*_bots_of(theirs, day, "theirs"), *_less(day, our, ours, refused)]


def _more(day: str, their: int, ours: Count) -> Iterator[str]:
    yield from _bots_of(ours, day, "ours")
    if not their:
        yield "theirs may have another name for it"
    elif not ours.bots[day]:
        yield "theirs may be held up by blockers, or wait for consent"


def _bots_of(count: Count, day: str, whose: str) -> Iterator[str]:
    if number := count.bots[day]:
        yield f"{number:,} of {whose} on this day are bots'"


def _less(day: str, our: int, ours: Count, refused: Mapping[str, int]) -> Iterator[str]:
    begun = ours.first
    if begun is None or begun.date().isoformat() > day:
        yield "the stream has none of this day: before the source, or no longer kept"
        return
    if not any(number for (each, _), number in ours.numbers.items() if each == day):
        yield "nothing came here on this day"
        return
    if begun.date().isoformat() == day:
        yield f"our first event is of {begun:%H:%M}"
    for reason, number in sorted(refused.items(), key=lambda pair: -pair[1])[:3]:
        yield f"{reason} {number:,}"
    if not refused:
        yield "pages without our tag, or blockers: nothing was refused" if our else "another name for it here"


def _first(row: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((row[name] for name in names if row.get(name)), "")
