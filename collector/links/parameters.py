"""Parameters that a target gets on the way: each where it is absent, every other byte as it was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus, urlencode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_MOST_PASSED = 20
_MOST_READ = 100
_PAIR = re.compile(r"([A-Za-z0-9_.-]{1,64})=([A-Za-z0-9._~!$'()*+,;:@/?%-]{0,500})")


def with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    """Return the address with the parameters that it lacks, before its fragment."""
    return with_pairs(url, (urlencode({name: value}) for name, value in parameters.items()))


def with_pairs(url: str, pairs: Iterable[str]) -> str:
    """Return the address with the encoded pairs whose names it lacks, before its fragment."""
    address, mark, fragment = url.partition("#")
    path, asked, query = address.partition("?")
    present = {_name(pair) for pair in query.split("&")}
    missing: list[str] = []
    for pair in pairs:
        if _name(pair) not in present:
            present.add(_name(pair))
            missing.append(pair)
    if not missing:
        return url
    between = "&" if query and not query.endswith("&") else ""
    return f"{path}{asked or '?'}{query}{between}{'&'.join(missing)}{mark}{fragment}"


def passed_on(query: str, allowed: Collection[str]) -> Iterator[str]:
    """Yield the pairs of a raw query that may be passed on: by name, or by how a name begins (``utm_*``)."""
    exact = {name for name in allowed if not name.endswith("*")}
    begins = tuple(name[:-1] for name in allowed if name.endswith("*"))
    passed = 0
    for pair in query.split("&", _MOST_READ)[:_MOST_READ]:
        match = _PAIR.fullmatch(pair)
        if match and passed < _MOST_PASSED and (match[1] in exact or match[1].startswith(begins)):
            passed += 1
            yield pair


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0])
