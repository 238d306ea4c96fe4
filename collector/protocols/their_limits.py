"""What another system takes at most, held to here too: more is cut, dropped or refused as it does there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.model import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a batch is flagged with when something of it did not pass whole.
NAME_CUT, ID_CUT, ID_DROPPED = "name_cut", "id_cut", "id_dropped"
VALUE_CUT, PROPERTY_DROPPED = "value_cut", "property_dropped"
_NAMES = ("event", "name")
_IDS = ("anonymousId", "userId")


@dataclass(frozen=True, slots=True)
class TheirLimits:
    """The limits of a dialect's own system; 0 is none. Lengths are in characters.

    ``body_bytes``, ``events`` and ``longest_name`` refuse; ``cut_name`` cuts instead. Of properties and
    traits those after the first ``properties``, and those with a longer name, are dropped; a longer text
    is cut to ``value``. Where ``strict``, a longer name or text refuses instead. Ids shorter than
    ``shortest_id`` are dropped, longer ones cut.
    """

    body_bytes: int = 0
    events: int = 0
    longest_name: int = 0
    cut_name: int = 0
    properties: int = 0
    key: int = 0
    value: int = 0
    strict: bool = False
    shortest_id: int = 0
    longest_id: int = 0

    def admit_body(self, body: bytes) -> None:
        """Raise Refusal too_large for a longer body than the system takes."""
        if self.body_bytes and len(body) > self.body_bytes:
            raise Refusal(Reason.TOO_LARGE, f"Its own limit is {self.body_bytes} bytes.")

    def hold(self, message: dict[str, Any]) -> set[str]:
        """Make a message fit; return the flags of what was cut or dropped.

        Raises Refusal field_too_long, missing_field when no id is left.
        """
        flags = self._hold_names(message) | self._hold_ids(message)
        for holder, place in ((message, "properties"), (message, "traits"), (message["context"], "traits")):
            if isinstance(held := holder.get(place), dict):
                holder[place] = self._hold_fields(held, flags)
        return flags

    def _hold_names(self, message: dict[str, Any]) -> set[str]:
        flags = set()
        for key in _NAMES:
            length = len(message.get(key) or "")
            if self.longest_name and length > self.longest_name:
                raise Refusal(Reason.FIELD_TOO_LONG, f"A name may have {self.longest_name} characters there.")
            if self.cut_name and length > self.cut_name:
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

    def _hold_fields(self, fields: Mapping[str, Any], flags: set[str]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, value in fields.items():
            unnamed = bool(self.key) and len(key) > self.key
            long = bool(self.value) and isinstance(value, str) and len(value) > self.value
            if self.strict and (unnamed or long):
                raise Refusal(
                    Reason.FIELD_TOO_LONG,
                    f"A property may have {self.key} and {self.value} characters there.",
                )
            if unnamed or (self.properties and len(kept) == self.properties):
                flags.add(PROPERTY_DROPPED)
                continue
            if long:
                flags.add(VALUE_CUT)
            kept[key] = value[: self.value] if long else value
        return kept


NONE = TheirLimits()
