"""Bytes to JSON values and back: orjson for the good, a careful second look at the rest."""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from collector.model import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

# So many digits in a row may be an integer that does not fit 64 bits, which orjson would make a float.
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG = b"0" * 20
_LONG_NEGATIVE = b"-" + b"0" * 19
# Looking at every fourth byte finds each of them at a quarter of the cost, and now and then what is none.
_STRIDE = 4
_LONG_IN_STRIDES = b"0" * 5
_LONG_NEGATIVE_IN_STRIDES = b"-" + b"0" * 4

# A few kilobytes of gzip may hold a million empty objects, which take half a second to make.
_LARGE = 64 * 1024
_MOST_PARTS = 100_000

_SHORT = 4096  # of longer bodies counting costs more than it saves


def _refuse_constant(name: str) -> NoReturn:
    raise Refusal(Reason.NOT_A_NUMBER, f"Found {name}.")


def parse(body: bytes, constant: Callable[[str], Any] = _refuse_constant) -> Any:
    """Return the JSON value of a body; ``constant`` gives the value of NaN and Infinity.

    Lone surrogates, which orjson refuses, become U+FFFD. Integers stay integers, however long.
    Raises Refusal: empty_body, not_utf8, not_json, not_a_number, too_deep, too_many_parts.
    """
    if not body:
        raise Refusal(Reason.EMPTY_BODY)
    if len(body) > _LARGE and body.count(b"{") + body.count(b"[") > _MOST_PARTS:
        raise Refusal(Reason.TOO_MANY_PARTS, f"The limit is {_MOST_PARTS} objects and lists.")
    if _has_long_integer(body):
        return _look_again(body, constant)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if "recursion" in str(error).lower():
            raise Refusal(Reason.TOO_DEEP) from None
        return _look_again(body, constant)


def _has_long_integer(body: bytes) -> bool:
    glance = body[::_STRIDE].translate(_DIGITS)
    if _LONG_IN_STRIDES not in glance and _LONG_NEGATIVE_IN_STRIDES not in glance:
        return False
    digits = body.translate(_DIGITS)
    return _LONG in digits or _LONG_NEGATIVE in digits


def parse_forgiving(body: bytes) -> tuple[Any, tuple[str, ...]]:
    """Return the JSON value of a body with NaN and Infinity as null, and the flag that says so, if any.

    Raises Refusal as ``parse`` does, not_a_number excepted.
    """
    found: list[str] = []
    value = parse(body, found.append)
    return value, ("not_a_number",) if found else ()


def _look_again(body: bytes, constant: Callable[[str], Any]) -> Any:
    if len(body) > _LARGE and body.count(b",") > _MOST_PARTS:  # each is looked at one by one
        raise Refusal(Reason.TOO_MANY_PARTS, f"A body in need of repair may have {_MOST_PARTS} values.")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Refusal(Reason.NOT_UTF8, f"The first bad byte is at {error.start}.") from None

    def number(digits: str) -> Any:
        value = float(digits)
        return value if isfinite(value) else constant("Infinity")

    try:
        return _repair(json.loads(text, parse_constant=constant, parse_float=number))
    except json.JSONDecodeError as error:
        raise Refusal(Reason.NOT_JSON, f"{error.msg.removesuffix(' at')} at character {error.pos}.") from None
    except ValueError:  # an integer of thousands of digits
        raise Refusal(Reason.NOT_JSON, "A number has too many digits.") from None
    except RecursionError:
        raise Refusal(Reason.TOO_DEEP) from None


def _repair(value: Any) -> Any:
    """Replace lone surrogates, in keys too; they cannot be written as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_repair(item) for item in value]
    if isinstance(value, dict):
        return {_repair(key): _repair(item) for key, item in value.items()}
    return value


def to_json(value: Any) -> bytes:
    """Return a parsed value as JSON again; orjson cannot write integers of more than 64 bits."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def is_surely_shallow(body: bytes, limit: int) -> bool:
    """Tell of a short body whether it opens no more objects and lists than may be nested."""
    return len(body) <= _SHORT and body.count(b"{") + body.count(b"[") <= limit


def check_depth(value: Any, limit: int) -> None:
    """Raise Refusal too_deep when objects and lists are nested deeper than the limit."""
    if not is_within_depth(value, limit):
        raise Refusal(Reason.TOO_DEEP)


def is_within_depth(value: Any, limit: int) -> bool:
    """Tell whether objects and lists are nested no deeper than the limit."""
    level = [value] if isinstance(value, dict | list) else []
    while level:
        if limit == 0:
            return False
        limit -= 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if (kind := type(inner)) is dict or kind is list
        ]
    return True
