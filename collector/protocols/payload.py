"""What a body is, found out by looking at it: clients label JSON as text, gzip as a form, forms as JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import multipart

from collector.model import Reason, Refusal
from collector.protocols.decode import parse_forgiving

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_FIELDS = 1000
_FORM = re.compile(rb"[\w.$%+\[\]-]{1,200}=")
_BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
_DEEPEST_KEY = 8


@dataclass(frozen=True, slots=True)
class Payload:
    """A body understood as far as its syntax goes: json, form, xml, text or empty."""

    kind: str
    value: Any
    flags: tuple[str, ...] = ()


def read_payload(body: bytes, content_type: str) -> Payload:
    """Return what a body holds; its Content-Type is a hint only where looks do not decide.

    Raises Refusal: not_json, not_utf8, too_deep, bad_request for a form that is none.
    """
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        return Payload("empty", None)
    if start[:1] in b"{[" or "json" in content_type.lower():
        value, flags = parse_forgiving(body.removeprefix(b"\xef\xbb\xbf"))
        return Payload("json", value, flags)
    if start.startswith(b"--") and "boundary=" in content_type:
        return Payload("form", _multipart(body, content_type))
    if start[:1] == b"<":
        return Payload("xml", body.decode(errors="replace"))
    if "urlencoded" in content_type.lower() or _FORM.match(start):
        return Payload("form", _form(body))
    return Payload("text", body.decode(errors="replace"))


def read_query(query: str) -> dict[str, Any]:
    """Return the parameters of a query string. Raises Refusal bad_request when there are too many."""
    return _fields(_pairs(query))


def _form(body: bytes) -> dict[str, Any]:
    text = body.decode(errors="replace")
    if "\n" in text.strip():  # a browser's form of enctype text/plain: one field a line, nothing escaped
        lines = text.split("\n", _MOST_FIELDS)[:_MOST_FIELDS]
        pairs = (line.removesuffix("\r").partition("=") for line in lines)
        return _fields([(name, value) for name, _, value in pairs if name])
    return _fields(_pairs(text.strip()))


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="replace")
    except ValueError:
        raise Refusal(Reason.BAD_REQUEST, f"A form may have {_MOST_FIELDS} fields.") from None


def _multipart(body: bytes, content_type: str) -> dict[str, Any]:
    try:
        _, options = multipart.parse_options_header(content_type)
        parser = multipart.MultipartParser(
            BytesIO(body), options.get("boundary", ""), part_limit=_MOST_FIELDS, spool_limit=len(body)
        )
        return _fields([(part.name, _part(part)) for part in parser.parts()])
    except (multipart.MultipartError, LookupError, ValueError):
        raise Refusal(Reason.BAD_REQUEST, "The multipart form is broken.") from None


def _part(part: Any) -> Any:
    """Return a field's text, and of a file only what is said about it."""
    if part.filename:
        return {"filename": part.filename, "contentType": part.content_type, "size": part.size}
    return part.raw.decode(errors="replace")


def _fields(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return form fields as an object: a name that comes again makes a list, ``a[b]`` nests."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        *parents, last = _path(name)
        place = fields
        for parent in parents:
            inner = place.setdefault(parent, {})
            place = inner if isinstance(inner, dict) else place
        if last not in place:
            place[last] = value
        elif isinstance(place[last], list):
            place[last].append(value)
        else:
            place[last] = [place[last], value]
    return fields


def _path(name: str) -> list[str]:
    match = _BRACKETS.fullmatch(name)
    if match is None:
        return [name]
    inner = [part for part in match[2][1:-1].split("][") if part]
    return [match[1], *inner] if len(inner) < _DEEPEST_KEY else [name]
