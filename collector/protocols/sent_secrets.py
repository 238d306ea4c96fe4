"""Secrets that a delivery itself carries: taken out before it is kept, put back before it is checked again.

Signatures stay: they are no secrets. A secret that the source does not know is not kept at all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from multidict import CIMultiDict

from collector.protocols.template import template

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.model import Hit
    from collector.protocols.webhook import Plan

MASK = "********"
PARAMETERS = {"secret", "access_token"}  # in the address, where they sign in the sender
_HEADERS = frozenset({"authorization", "x-webhook-token", "x-gitlab-token"})


def without_secrets(hit: Hit, plan: Plan) -> Hit:
    """Return a delivery with a mask in place of each secret that was sent along."""
    recipe = plan.preset.recipe
    signed = template(recipe.signature).headers if recipe and recipe.kind != "token" else ()

    def hidden(value: str) -> str:
        scheme, space, token = value.rpartition(" ")
        return f"{scheme}{space}{MASK}" if token in plan.secrets else ""

    return _changed(hit, hidden, _HEADERS.difference(signed))


def with_secrets(hit: Hit, secrets: Sequence[str]) -> Hit:
    """Return a kept delivery with the source's first secret in place of each mask."""
    return _changed(hit, lambda value: value.replace(MASK, secrets[0]) if secrets else value, _HEADERS)


def _changed(hit: Hit, change: Callable[[str], str], names: frozenset[str]) -> Hit:
    headers = CIMultiDict(
        (name, change(value) if name.lower() in names else value) for name, value in hit.headers.items()
    )
    pairs = parse_qsl(hit.query, keep_blank_values=True)
    if not any(name in PARAMETERS for name, _ in pairs):
        return replace(hit, headers=headers)
    query = urlencode([(name, change(value) if name in PARAMETERS else value) for name, value in pairs])
    return replace(hit, headers=headers, query=query, url=f"{hit.url.partition('?')[0]}?{query}")
