"""What another system takes at most, held to here too: more is cut, dropped or refused as it does there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.model import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.model import Event

# What an event is flagged with when it did not pass whole.
NAME_CUT, ID_CUT, ID_DROPPED = "name_cut", "id_cut", "id_dropped"
VALUE_CUT, PROPERTY_DROPPED = "value_cut", "property_dropped"
FLAGS = (NAME_CUT, ID_CUT, ID_DROPPED, VALUE_CUT, PROPERTY_DROPPED)
_NAMES = ("event", "name")
_IDS = ("anonymousId", "userId")


@dataclass(frozen=True, slots=True)
class Fields:
    """The limits of properties, or of traits; 0 is none. Lengths are in characters.

    Those after the first ``most``, and those with a longer name than ``key``, are dropped; a longer text than
    ``value`` is cut. Where ``strict``, longer names and texts refuse the event.
    """

    most: int = 0
    key: int = 0
    value: int = 0
    strict: bool = False

    def held(self, fields: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
        """Return the fields that fit, and the flags of what was cut or dropped. Raises field_too_long."""
        kept: dict[str, Any] = {}
        flags = set()
        for key, value in fields.items():
            unnamed = bool(self.key) and len(key) > self.key
            long = bool(self.value) and isinstance(value, str) and len(value) > self.value
            if self.strict and (unnamed or long):
                told = f"A name may have {self.key} characters there, and a text {self.value}."
                raise Refusal(Reason.FIELD_TOO_LONG, told)
            if unnamed or (self.most and len(kept) == self.most):
                flags.add(PROPERTY_DROPPED)
                continue
            if long:
                flags.add(VALUE_CUT)
            kept[key] = value[: self.value] if long else value
        return kept, flags


NO_FIELDS = Fields()


@dataclass(frozen=True, slots=True)
class TheirLimits:
    """The limits of a dialect's own system; 0 is none. Lengths are in characters.

    ``body_bytes``, ``events``, ``longest_name`` and ``longest_url`` refuse; ``cut_name`` cuts. Ids shorter
    than ``shortest_id`` are dropped, and longer than ``longest_id`` cut.
    """

    body_bytes: int = 0
    events: int = 0
    longest_name: int = 0
    cut_name: int = 0
    longest_url: int = 0
    properties: Fields = NO_FIELDS
    traits: Fields = NO_FIELDS
    shortest_id: int = 0
    longest_id: int = 0

    def admit_body(self, body: bytes) -> None:
        """Raise Refusal too_large for a longer body than the system takes."""
        if self.body_bytes and len(body) > self.body_bytes:
            raise Refusal(Reason.TOO_LARGE, f"Its own limit is {self.body_bytes} bytes.")

    def hold(self, event: Event) -> None:
        """Make an event fit, and flag what was cut or dropped.

        Raises Refusal field_too_long, missing_field when no id is left.
        """
        message = event.message
        flags = self._hold_names(message) | self._hold_ids(message)
        for holder, place, fields in (
            (message, "properties", self.properties),
            (message, "traits", self.traits),
            (message["context"], "traits", self.traits),
        ):
            if fields is not NO_FIELDS and isinstance(held := holder.get(place), dict):
                holder[place], found = fields.held(held)
                flags |= found
        if flags:
            event.flags = tuple(sorted(flags))
            event.visitor = message.get("anonymousId") or message.get("userId") or ""

    def _hold_names(self, message: dict[str, Any]) -> set[str]:
        url = message["context"].get("page", {}).get("url", "")
        if self.longest_url and len(url) > self.longest_url:
            raise Refusal(Reason.FIELD_TOO_LONG, f"An address may have {self.longest_url} characters there.")
        flags = set()
        for key in (key for key in _NAMES if key in message):
            if self.longest_name and len(message[key]) > self.longest_name:
                raise Refusal(Reason.FIELD_TOO_LONG, f"A name may have {self.longest_name} characters there.")
            if self.cut_name and len(message[key]) > self.cut_name:
                message[key] = message[key][: self.cut_name]
                flags.add(NAME_CUT)
        return flags

    def _hold_ids(self, message: dict[str, Any]) -> set[str]:
        flags = set()
        for key in (key for key in _IDS if key in message):
            if len(message[key]) < self.shortest_id:
                del message[key]
                flags.add(ID_DROPPED)
            elif self.longest_id and len(message[key]) > self.longest_id:
                message[key] = message[key][: self.longest_id]
                flags.add(ID_CUT)
        if ID_DROPPED in flags and not any(key in message for key in _IDS):
            raise Refusal(Reason.MISSING_FIELD, f"An id needs {self.shortest_id} characters there.")
        return flags


NONE = TheirLimits()
