"""JSON as browsers' clients pack it: plain, or as base64 or a text in the ``data`` of a form or a query."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.model import Reason, Refusal
from collector.protocols.decode import parse_forgiving
from collector.protocols.payload import read_payload, read_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.protocols.dialect import Call

_MILLISECONDS = 13  # the digits of a time, until the year 2286


@dataclass(frozen=True, slots=True)
class Packed:
    """What a body holds; ``fields`` are those of the query and of the form that it came in, if any."""

    value: Any
    flags: tuple[str, ...]
    fields: Mapping[str, Any]


def unpacked(call: Call) -> Packed:
    """Return the JSON of a call. Raises Refusal empty_body, not_json and others of reading."""
    payload, query = read_payload(call.body, call.headers.get("Content-Type", "")), read_query(call.query)
    if payload.kind == "json":
        return Packed(payload.value, payload.flags, query)
    form = payload.value if isinstance(payload.value, dict) else {}
    fields = {**query, **form}
    packed = payload.value if payload.kind == "text" else fields.get("data")
    if not isinstance(packed, str) or not packed:
        raise Refusal(Reason.EMPTY_BODY if payload.kind == "empty" else Reason.NOT_JSON)
    return Packed(*_unpack(packed), fields)


def _unpack(packed: str) -> tuple[Any, tuple[str, ...]]:
    if packed[:1] in "{[":
        return parse_forgiving(packed.encode(errors="replace"))
    plain = packed.strip().replace(" ", "+").translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return parse_forgiving(base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True))
    except (binascii.Error, ValueError):
        raise Refusal(Reason.NOT_JSON, "It is no base64 either.") from None


def sent_at(query: Mapping[str, Any]) -> int | None:
    """Return when a browser sent it, in milliseconds: the parameter against caches."""
    digits = query.get("_")
    if isinstance(digits, str) and digits.isascii() and digits.isdigit() and len(digits) == _MILLISECONDS:
        return int(digits)
    return None
