"""What every protocol returns, and the checks that all of them share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from collector.model import Event, Hit, Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_NAMED_BY = {"track": "event", "group": "groupId", "alias": "previousId"}
MOST_KEYS = 1000  # of an object: a warehouse makes a column of each
TYPES = ("track", "page", "screen", "identify", "group", "alias")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one batch may hold."""

    events: int = 500
    event_bytes: int = 64 * 1024
    depth: int = 16


@dataclass(slots=True)
class Batch:
    """The events of a hit in their order, and the items that are none, by their place in the hit.

    ``raw`` holds those items as they came; ``flags`` says what had to be repaired in the hit; ``machine``
    labels the hit of a machine; ``sampled`` is the share of 1 that was kept under overload. ``secrets`` are
    keys that the raw items may hold, and must not be kept.
    """

    protocol: str
    events: list[Event] = field(default_factory=list)
    refused: list[tuple[int, Refusal]] = field(default_factory=list)
    raw: dict[int, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    machine: dict[str, str] | None = None
    sampled: float = 1
    secrets: tuple[str, ...] = ()

    def set_apart(self, refusals: Sequence[Refusal | None]) -> None:
        """Move the events that have a refusal, there is one or None for each, to the refused ones."""
        if not any(refusals):  # nearly always
            return
        verdicts = list(zip(self.events, refusals, strict=True))
        self.events = [event for event, refusal in verdicts if refusal is None]
        self.refused += [(event.index, refusal) for event, refusal in verdicts if refusal is not None]


Protocol: TypeAlias = "Callable[[Hit, Limits], Batch]"


def understand_each(batch: Batch, items: list[Any], one: Callable[[int, Any], Event]) -> Batch:
    """Fill the batch by reading each item; a bad one is set apart and the rest is kept."""
    for index, item in enumerate(items):
        try:
            batch.events.append(one(index, item))
        except Refusal as refusal:
            batch.refused.append((index, refusal))
            batch.raw[index] = item
    return batch


def add_names(message: dict[str, Any], kind: str, item: Mapping[str, Any]) -> None:
    """Copy what an event is named by. Raises Refusal missing_field when its type needs one it lacks."""
    needed = _NAMED_BY.get(kind)
    for key in ("event", "name", "groupId", "previousId"):
        if key in item and (value := text(item, key)):
            message[key] = value
    if needed and needed not in message:
        raise Refusal(Reason.MISSING_FIELD, f"A {kind} event needs {needed}.")


def text(item: Mapping[str, Any], key: str, limit: int = 512) -> str | None:
    """Return a text field, None when absent or empty. Numbers are taken as text: clients send both.

    Raises Refusal wrong_type, field_too_long.
    """
    value = item.get(key)
    if type(value) is str and 0 < len(value) <= limit:  # nearly always
        return value
    if value is None or value == "":
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Refusal(Reason.WRONG_TYPE, f"{key} must be text.")
    if len(value) > limit:
        raise Refusal(Reason.FIELD_TOO_LONG, f"{key} may have {limit} characters.")
    return value


def an_object(item: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return an object field, an empty one when absent. Raises Refusal wrong_type, too_many_parts."""
    value = item.get(key)
    if type(value) is dict:
        if len(value) > MOST_KEYS:
            raise Refusal(Reason.TOO_MANY_PARTS, f"{key} may have {MOST_KEYS} fields.")
        return value
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal(Reason.WRONG_TYPE, f"{key} must be an object.")
    return value
