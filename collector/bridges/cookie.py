"""The visitor's cookie that the server sets: out of the reach of scripts, and of no other site's use."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from collector.enrich.visitors import objection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.exchange import Request
    from collector.model import Hit, Outcome

# Browsers take a cookie of this prefix only over HTTPS, for the whole host and for no other.
NAME = "__Host-hw"

_SECONDS = 395 * 24 * 3600  # 13 months, the most that the CNIL allows; set once, never renewed
_KEPT = re.compile(rf"(?:^|;\s*){NAME}=([0-9a-f]{{32}})(?:;|$)")


def recognised(hit: Hit, request: Request) -> Hit:
    """Return the hit with its visitor's id: the cookie's, else a new one where a cookie may be set."""
    if hit.source.privacy.cookie != "server" or hit.source.privacy.visitors != "cookie":
        return hit
    if kept := _kept(request):
        return replace(hit, visitor=kept)
    return replace(hit, visitor=secrets.token_hex(16)) if _first_party(hit, request) else hit


def to_set(hit: Hit, request: Request, outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Return the header that sets a new visitor's cookie, empty when nothing was kept or it is there."""
    if not hit.visitor:
        return {}
    kept = any(outcome.verdict in {"stored", "duplicate", "checked"} for outcome in outcomes)
    objects = objection(hit, hit.source.privacy) in {"anonymous", "drop"}
    if _kept(request) == hit.visitor or objects or not kept:
        return {}
    attributes = f"Max-Age={_SECONDS}; Path=/; Secure; HttpOnly; SameSite=Lax"
    return {"Set-Cookie": f"{NAME}={hit.visitor}; {attributes}"}


def _first_party(hit: Hit, request: Request) -> bool:
    """Tell whether the page is of the host that was asked, over HTTPS as the browser sees it."""
    # Proxies that cannot pass the website's Host on, such as Vercel's, name it in another header.
    forwarded = hit.headers.get("X-Forwarded-Host", "") if hit.proxied else ""
    return hit.headers.get("Origin", "") == f"https://{forwarded or request.host}"


def _kept(request: Request) -> str:
    """Return the id in the visitor's cookie, empty when there is none or it is not ours."""
    found = _KEPT.search(request.headers.get("Cookie", ""))
    return found[1] if found else ""
