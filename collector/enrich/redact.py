"""What must not be told, taken out of texts and addresses: e-mail, phone and card numbers, tokens.

What was taken out is counted by kind, so that a site owner learns of the leak.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, unquote_plus

from collector.enrich.campaign import PARAMETERS
from collector.links import JOURNEY

if TYPE_CHECKING:
    from collections.abc import Callable

PARAMETER = "parameter"  # the kind of a parameter that is not allowed
_LONGEST = 4096
_MOST_PARAMETERS = 100

_EMAIL = re.compile(r"[\w.+%-]{1,64}(?:@|%40)(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}", re.IGNORECASE)
_CARD = re.compile(r"(?<![\d.-])(?=[2-6])(?:\d[ -]?){13,18}\d(?![\d.-])")
_PHONE = re.compile(r"(?<![\w.])(?:\+|%2B|00)[1-9](?:[ ().-]{0,2}\d){7,14}(?!\w)", re.IGNORECASE)
_TOKEN = re.compile(
    # JSON Web Token. Without a bound a text of many beginnings would take the square of its length.
    r"eyJ[\w-]{8,500}\.[\w-]{8,}\.[\w-]*"
    r"|(?<![\w-])[0-9a-f]{32,}(?![\w-])"
    r"|(?<![\w-])(?:sk|pk|rk|ghp|gho|xox[abp]|key|token)[_-][\w-]{16,}"
    r"|(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[A-Za-z0-9_]{40,}(?![\w-])"
)
# A text without any of these has nothing to take out.
_WORTH_A_LOOK = re.compile(r"@|%40|(?:\d[ -]?){8}|\+\d|%2B|eyJ|[\w-]{20}", re.IGNORECASE)


def clean(value: str, parameters: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return an address or a text without what must not be told, and the kinds found in it."""
    return address(value, parameters) if "://" in value else text(value)


def text(value: str) -> tuple[str, tuple[str, ...]]:
    """Return a text with [email], [card], [phone] and [token] for what it told, and the kinds found."""
    if not _WORTH_A_LOOK.search(value):
        return value, ()
    found: list[str] = []
    for kind, pattern, judge in _KINDS:
        value = pattern.sub(lambda match, kind=kind, judge=judge: _mark(match, kind, judge, found), value)  # type: ignore[misc]
    return value, tuple(found)


def address(url: str, parameters: tuple[str, ...] = ()) -> tuple[str, tuple[str, ...]]:
    """Return an address without user and fragment, with the parameters of campaigns and those named.

    ``*`` among the parameters keeps all. It is cut by its marks alone: nothing will ever call it.
    """
    scheme, _, rest = url[:_LONGEST].partition("#")[0].partition("://")
    rest, _, query = rest.partition("?")
    host, slash, path = rest.partition("/")
    path, found = text(path)
    kept = f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
    if not query:
        return kept, found
    query, in_query = _query(query, parameters)
    return (f"{kept}?{query}" if query else kept), found + in_query


def _query(query: str, parameters: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the allowed parameters, written as they came, with nothing personal in their values."""
    kept: list[str] = []
    found: list[str] = []
    for part in query.split("&", _MOST_PARAMETERS)[:_MOST_PARAMETERS]:
        key, equals, value = part.partition("=")
        if key == JOURNEY:
            continue  # it names a person
        if key in PARAMETERS or key in parameters or ("*" in parameters and key):
            told, kinds = _value(key, value)
            found += kinds
            kept.append(f"{key}{equals}{told}")
        elif part:
            found.append(PARAMETER)
    return "&".join(kept), tuple(found)


def _value(key: str, value: str) -> tuple[str, tuple[str, ...]]:
    if key in PARAMETERS and not key.startswith(("utm_", "mtm_", "pk_", "at_")):
        return value, ()  # a click id looks like a token and is none
    readable = unquote_plus(value, errors="replace") if "%" in value or "+" in value else value
    told, kinds = text(readable)
    return (quote_plus(told, safe="[]@:/,"), kinds) if kinds else (value, ())


def _mark(match: re.Match[str], kind: str, judge: Callable[[str], bool] | None, found: list[str]) -> str:
    if judge and not judge(match[0]):
        return match[0]
    found.append(kind)
    return f"[{kind}]"


def _is_card(digits: str) -> bool:
    """Tell whether the digits end in the check digit of card numbers (ISO/IEC 7812, Luhn)."""
    numbers = [int(digit) for digit in reversed(digits) if digit.isdigit()]
    doubled = [
        number if place % 2 == 0 else sum(divmod(number * 2, 10)) for place, number in enumerate(numbers)
    ]
    return sum(doubled) % 10 == 0


_KINDS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool] | None], ...] = (
    ("email", _EMAIL, None),
    ("token", _TOKEN, None),
    ("card", _CARD, _is_card),
    ("phone", _PHONE, None),
)
