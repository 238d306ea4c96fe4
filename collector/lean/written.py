"""Write an answer as the bytes of HTTP/1.1."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from collector.exchange import SharedFields
from collector.recall import remembered

if TYPE_CHECKING:
    from collector.exchange import Answer

_BODILESS = {204, 304}


def written(answer: Answer, date: bytes, *, head_only: bool, keep_alive: bool) -> bytes:
    """Return the whole answer as it goes on the wire; ``date`` is the line of the Date header.

    Raises ValueError when a header would break out of its line.
    """
    if type(answer.headers) is SharedFields:
        head = _remembered_shared(answer.status, answer.headers)
    else:
        make = _head if "Location" in answer.headers else _remembered  # of links, no two are alike
        head = make(answer.status, tuple(answer.headers.items()))
    if answer.status not in _BODILESS:
        head += b"Content-Length: %d\r\n" % len(answer.body)
    if not keep_alive:
        head += b"Connection: close\r\n"
    return head + date + b"\r\n" + (b"" if head_only else answer.body)


def _head(status: int, fields: tuple[tuple[str, str], ...]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nServer: headwater\r\n"]
    lines += (f"{name}: {value}\r\n" for name, value in fields)
    text = "".join(lines)
    if text.count("\n") != len(fields) + 2 or text.count("\r") != len(fields) + 2:
        raise ValueError("a header holds a line break")
    return text.encode("utf-8", "surrogateescape")


_remembered = remembered(1024)(_head)


@remembered(1024)
def _remembered_shared(status: int, fields: SharedFields) -> bytes:
    return _head(status, tuple(fields.items()))
