"""One template, many recipients: the template is read once, and each mail is made when it is asked for."""

from __future__ import annotations

import base64
import csv
import itertools
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import orjson

from collector.links import LinkError
from collector.mails.html import read_html
from collector.mails.message import instrument_message
from collector.mails.text import instrument_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from collector.mails.tracking import Tracking

Kind: TypeAlias = Literal["html", "text", "mime"]
Fill: TypeAlias = "Callable[[Tracking], bytes]"

_YES, _NO = ("true", "1", "yes"), ("", "false", "0", "no")


def read_mail(data: bytes, kind: Kind) -> Fill:
    """Return what makes the mail of each recipient. Raises LinkError, then and when it is called."""
    if kind == "mime":
        return partial(instrument_message, data)
    text = _text(data)
    if kind == "text":
        return lambda tracking: instrument_text(text, tracking).encode()
    template = read_html(text)
    return lambda tracking: template.fill(tracking).encode()


def instrument_many(
    data: bytes, kind: Kind, tracking: Tracking, recipients: Iterable[tuple[str, bool]]
) -> Iterator[tuple[str, bytes]]:
    """Yield each recipient with their mail. ``recipients`` are ids and whether they have consented."""
    fill = read_mail(data, kind)
    for recipient, consented in recipients:
        yield recipient, fill(tracking.of(recipient, consented=consented))


def read_recipients(lines: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield the recipients of NDJSON or CSV with the fields ``recipient`` and, if any, ``consented``.

    Raises LinkError that names the line.
    """
    first, rest = next(iterator := iter(lines), ""), iterator
    rows: Iterable[Any] = itertools.chain([first], rest)
    rows = map(_object, rows) if first.lstrip().startswith("{") else csv.DictReader(rows)
    for number, row in enumerate(rows, start=1):
        recipient = row.get("recipient") if row is not None else None
        consented = str((row or {}).get("consented") or "").lower()
        if not isinstance(recipient, str) or not recipient or consented not in _YES + _NO:
            raise LinkError(
                f"Recipient {number} cannot be read: a line of NDJSON or CSV has a recipient and, if any,"
                " consented as true or false."
            )
        yield recipient, consented in _YES


def as_json(mail: bytes) -> dict[str, str]:
    """Return a mail as JSON can hold it: as text, or in base64 when it is none."""
    try:
        return {"mail": mail.decode()}
    except UnicodeDecodeError:
        return {"mail_base64": base64.b64encode(mail).decode()}


def _object(line: str) -> dict[str, Any] | None:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise LinkError("The mail is not UTF-8; give it as a whole message (mime).") from None
