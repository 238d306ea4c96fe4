"""What a request carries, whoever's tracker sent it: the events in it, with their ids, and its page views."""

from __future__ import annotations

import binascii
import gzip
import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Iterator

# What peers call an event's own id, by which a server can tell a copy from another event.
_IDS = ("messageId", "uuid", "$insert_id", "insert_id", "eid")
# Names that the scenarios send: no tracker has a word like these of its own.
PREFIX = "peer-event-"


def events(query: str, body: bytes) -> Iterator[tuple[str, str | None]]:
    """Yield the name and id of each event in a request that a scenario sent."""
    for found in _objects(_read(query, body)):
        for value in found.values():
            if isinstance(value, str) and value.startswith(PREFIX):
                yield value, _id(found)
                break


def views(path: str, query: str, body: bytes, view: tuple[str, str | int]) -> int:
    """Count the page views in a request; ``view`` is the key and value, or the path, that make one."""
    key, value = view
    if key == "path":
        return int(path == value and bool(body))
    return sum(found.get(key) == value for found in _objects(_read(query, body)))


def _id(found: dict[str, Any]) -> str | None:
    inner = found.get("properties")
    for place in (found, inner if isinstance(inner, dict) else {}):
        for key in _IDS:
            if place.get(key):
                return str(place[key])
    return None


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _objects(inner)


def _read(query: str, body: bytes) -> list[Any]:
    """Return what is in query and body: JSON, forms with JSON in them, gzip and base64 around it."""
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    text = body.decode("utf-8", "replace")
    return [_form(query), _json(text) if text[:1] in {"{", "["} else _form(text)]


def _form(text: str) -> dict[str, Any]:
    return {key: _value(value) for key, value in parse_qsl(text)}


def _value(text: str) -> Any:
    if text[:1] in {"{", "["}:
        return _json(text)
    if text[:2] in {"ey", "W3"}:  # what base64 makes of {" and [{
        try:
            return _json(b64decode(text, validate=True).decode())
        except (binascii.Error, UnicodeDecodeError):
            return text
    return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
