"""Tombstones: the events by which `headwater forget` tells what was copied to remove a person from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import orjson

from collector.sinks import Rejected
from collector.store.people import Person, PersonError

if TYPE_CHECKING:
    from collections.abc import Collection

FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """It covers what was received of a person, known by digests of the ids, until a time."""

    people: frozenset[int]
    when: datetime

    def covers(self, people: Collection[int], received: datetime) -> bool:
        """Tell whether an event in which these people stand is to be removed."""
        return received <= self.when and not self.people.isdisjoint(people)


def read_tombstone(event: bytes) -> Tombstone:
    """Return the tombstone in an event of the type ``forget``. Raises Rejected."""
    try:
        fields = orjson.loads(event)
        named = (fields.get(key, "") for key in ("userId", "anonymousId", "emailHash"))
        tombstone = Tombstone(Person(*named).digests, datetime.fromisoformat(fields["receivedAt"]))
    except (ValueError, LookupError, TypeError, AttributeError, PersonError):
        raise Rejected("It is no tombstone that names a person.") from None
    if tombstone.when.tzinfo is None:
        raise Rejected("It is a tombstone whose time names no zone.")
    return tombstone
