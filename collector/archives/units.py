"""An archive cut into its units in bounded memory: lines, values of JSON, rows of CSV. It knows no format."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from collector.model import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_DECODER = json.JSONDecoder()
_BETWEEN = " \t\r\n,"
_BEFORE = b"\xef\xbb\xbf \t\r\n"
_SHOWN = 1000  # bytes of what is too large


@dataclass(slots=True)
class Unit:
    """A unit with its number, counted from one as editors count lines; ``refusal`` when it cannot be read."""

    number: int
    raw: Any
    refusal: Refusal | None = None


def lines(chunks: Iterable[bytes], limit: int) -> Iterator[Unit]:
    """Yield the lines that are not blank; one of more bytes than the limit is told of and passed over."""
    number, rest, passing = 0, b"", False
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            if passing:
                passing = False
            elif len(line) > limit:
                yield Unit(number, line[:_SHOWN], _too_large(limit))
            elif line.strip():
                yield Unit(number, line.rstrip(b"\r"))  # tabs may be columns
        if len(rest) > limit:
            if not passing:
                yield Unit(number + 1, rest[:_SHOWN], _too_large(limit))
            rest, passing = b"", True
    if rest.strip() and not passing:
        yield Unit(number + 1, rest.rstrip(b"\r"))


def values(chunks: Iterable[bytes], limit: int) -> Iterator[Unit]:
    """Yield the values of one JSON list, or the lines of a file that is none, as bytes of JSON each."""
    again = iter(chunks)
    first = b""
    while not first.lstrip(_BEFORE) and (chunk := next(again, b"")):
        first += chunk
    first = first.removeprefix(b"\xef\xbb\xbf")
    if first.lstrip().startswith(b"["):
        yield from _of_list(_chained(first.lstrip()[1:], again), limit)
    else:
        yield from lines(_chained(first, again), limit)


def _of_list(chunks: Iterable[bytes], limit: int) -> Iterator[Unit]:
    number, rest, tail = 0, "", b""
    for chunk in chunks:
        whole, tail = _whole_letters(tail + chunk)
        rest += whole
        at = 0
        while (begin := _skip(rest, at)) < len(rest) and rest[begin] != "]":
            try:
                _, at = _DECODER.raw_decode(rest, begin)
            except (ValueError, RecursionError):
                break
            if at == len(rest):  # a number could go on
                at = begin
                break
            number += 1
            raw = rest[begin:at].encode()
            large = _too_large(limit) if len(raw) > limit else None
            yield Unit(number, raw[:_SHOWN] if large else raw, large)
        rest = rest[_skip(rest, at) :]
        if rest.startswith("]"):
            return
        if len(rest) > limit:
            yield Unit(number + 1, rest[:_SHOWN].encode(), _too_large(limit))
            return
    yield Unit(
        number + 1, rest[:_SHOWN].encode(), Refusal(Reason.NOT_JSON, "The list is broken from here on.")
    )


def rows(chunks: Iterable[bytes], limit: int) -> Iterator[Unit]:
    """Yield the rows of CSV after its first as objects, by the names in the first.

    Behind one that goes on over lines without an end, as by a quote too many, nothing is read.
    """
    csv.field_size_limit(limit)
    text = _RowLines(_text(chunks, limit), limit)
    names: list[str] = []
    for row in text.rows():
        if isinstance(row, Refusal):
            yield Unit(text.number, "", row)
            if not names or text.endless:
                return
        elif row and names:
            yield Unit(text.number, dict(zip(names, row, strict=False)))
        elif row:
            names = [name.strip() for name in row]


CUTS: dict[str, Callable[[Iterable[bytes], int], Iterator[Unit]]] = {
    "lines": lines,
    "values": values,
    "rows": rows,
}


class _RowLines:
    """The lines that csv makes rows from, counted: one row may have so many characters."""

    def __init__(self, lines: Iterator[str], limit: int) -> None:
        self._lines = lines
        self._limit = limit
        self._row = 0  # characters of it
        self.number = 0
        self.endless = False

    def rows(self) -> Iterator[list[str] | Refusal]:
        """Yield each row, or why it cannot be read."""
        reader = csv.reader(self)
        while True:
            self._row = 0
            try:
                yield next(reader)
            except StopIteration:
                return
            except Refusal as refusal:
                yield refusal
            except csv.Error as error:
                yield Refusal(Reason.BAD_LINE, f"The row is no CSV: {error}.")

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        """Return the next line. Raises Refusal too_large, and csv begins another row."""
        line = next(self._lines)
        self.number += 1
        before, self._row = self._row, self._row + len(line)
        if self._row <= self._limit + len("\n"):
            return line
        if not before:
            raise _too_large(self._limit)
        self.endless = True
        detail = f"A row may have {self._limit} bytes; this one has no end, and nothing behind it is read."
        raise Refusal(Reason.TOO_LARGE, detail)


def _text(chunks: Iterable[bytes], limit: int) -> Iterator[str]:
    """Yield the lines as csv wants them; of one beyond the limit only so much that it is refused."""
    rest, passing = b"", False
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if not passing:
                yield line.decode(errors="replace").lstrip("\ufeff") + "\n"
            passing = False
        if len(rest) > limit:
            if not passing:
                yield rest.decode(errors="replace") + "\n"
            rest, passing = b"", True
    if rest and not passing:
        yield rest.decode(errors="replace")


def _chained(first: bytes, others: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BETWEEN:
        at += 1
    return at


def _whole_letters(data: bytes) -> tuple[str, bytes]:
    """Return the text of bytes that may end within a letter, and the beginning of that letter."""
    for cut in range(min(3, len(data)) + 1):
        try:
            return data[: len(data) - cut].decode(), data[len(data) - cut :]
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                break
    return data.decode(errors="replace"), b""


def _too_large(limit: int) -> Refusal:
    return Refusal(Reason.TOO_LARGE, f"It may have {limit} bytes.")
