"""Bytes to JSON values, for every protocol: orjson for the good, a careful second look at the rest."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import orjson

from collector.model import Reason, Refusal


def parse(body: bytes) -> Any:
    """Return the JSON value of a body.

    Lone surrogates, which orjson refuses, become U+FFFD.
    Raises Refusal: empty_body, not_utf8, not_json, not_a_number, too_deep.
    """
    if not body:
        raise Refusal(Reason.EMPTY_BODY)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if "recursion" in str(error).lower():
            raise Refusal(Reason.TOO_DEEP) from None
        return _look_again(body)


def _look_again(body: bytes) -> Any:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Refusal(Reason.NOT_UTF8, f"The first bad byte is at {error.start}.") from None
    try:
        return _repair(json.loads(text, parse_constant=_refuse_constant))
    except json.JSONDecodeError as error:
        raise Refusal(Reason.NOT_JSON, f"{error.msg} at character {error.pos}.") from None
    except ValueError:  # an integer of thousands of digits
        raise Refusal(Reason.NOT_JSON, "A number has too many digits.") from None
    except RecursionError:
        raise Refusal(Reason.TOO_DEEP) from None


def _refuse_constant(name: str) -> NoReturn:
    raise Refusal(Reason.NOT_A_NUMBER, f"Found {name}.")


def _repair(value: Any) -> Any:
    """Replace lone surrogates, in keys too; they cannot be written as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_repair(item) for item in value]
    if isinstance(value, dict):
        return {_repair(key): _repair(item) for key, item in value.items()}
    return value


def check_depth(value: Any, limit: int) -> None:
    """Raise Refusal too_deep when objects and lists are nested deeper than the limit."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return
    if limit == 0:
        raise Refusal(Reason.TOO_DEEP)
    for item in value:
        if isinstance(item, dict | list):
            check_depth(item, limit - 1)
