"""Where the visitor came from: the referring site's medium, name and search term, and whether it is spam."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from collector.enrich import redact
from collector.enrich.data import facts
from collector.recall import remembered

if TYPE_CHECKING:
    from collector.model import Hit

_LONGEST = 2048
_AUTHORITY = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*://([^/?#\\]*)")
_CACHED = 4096
# Web mail by host; none of the lists has them.
_MAIL = {
    "mail.google.com": "Gmail",
    "mail.aol.com": "AOL Mail",
    "mail.yahoo.com": "Yahoo Mail",
    "mail.proton.me": "Proton Mail",
    "outlook.live.com": "Outlook",
    "outlook.office.com": "Outlook",
    "outlook.office365.com": "Outlook",
    "mail.zoho.com": "Zoho Mail",
    "mail.ru": "Mail.ru",
    "e.mail.ru": "Mail.ru",
    "mail.yandex.ru": "Yandex Mail",
    "navigator.gmx.net": "GMX",
    "navigator.web.de": "Web.de",
    "com.google.android.gm": "Gmail",
}
# Country ends of two labels, such as co.uk and com.au.
_SECOND_LEVELS = {"ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"}
# A search engine is its own host or these in front of it; news.google.com is no search.
_SEARCH_FRONTS = {"m", "search", "mobile", "lite"}


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:
    """Tell referrer of an event that happened on a page."""
    page = context.get("page")
    if not isinstance(page, dict):
        return {"referrer": None}
    address, url = page.get("referrer"), page.get("url")
    told = read(
        address[:_LONGEST] if isinstance(address, str) else "",
        _host(url[:_LONGEST]) if isinstance(url, str) else "",
        hit.source.enrichment.own_hosts,
    )
    return {"referrer": told}


@remembered(_CACHED)
def read(address: str, page_host: str, own_hosts: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return medium, source and term of a referring address. The result is shared: never change it."""
    host = _host(address)
    if not host:
        return {"medium": "direct"}
    if host == page_host or any(host == own or host.endswith(f".{own}") for own in own_hosts):
        return {"medium": "internal"}
    medium, name, words = _known(host)
    told = {"medium": medium, "source": name or host}
    if term := _term(address, words):
        told["term"] = redact.text(term)[0]
    if any(part in _spammers() for part in _parents(host)):
        return {**told, "spam": True}
    return told


def site(name: str) -> tuple[str, str]:
    """Return the medium and name of a site by host or by the short name that campaigns use, else empty."""
    return _by_name().get(name.lower()) or _known(name.lower())[:2]


def _host(address: str) -> str:
    """Return the host of an address in lower case, without ``www.``; empty when there is none.

    Cut by its marks, since urlsplit takes five times as long and it is asked for every new page.
    """
    match = _AUTHORITY.match(address)
    host = match[1].rpartition("@")[2] if match else ""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower() if "]" in host else ""
    return host.partition(":")[0].lower().removeprefix("www.")


def _known(host: str) -> tuple[str, str, tuple[str, ...]]:
    """Return medium, name and search parameters of a host, the most exact entry first."""
    hosts = facts("referrers")["hosts"]
    for part in _parents(host):
        if part in _MAIL:
            return "email", _MAIL[part], ()
        for key in (part, _any_country(part)):
            if key in hosts and _fits(hosts[key][0], host, part):
                medium, name, words = hosts[key]
                return medium, name, tuple(words)
    return "other", "", ()


def _fits(medium: str, host: str, part: str) -> bool:
    return medium != "search" or host == part or host.removesuffix(f".{part}") in _SEARCH_FRONTS


def _parents(host: str) -> list[str]:
    """Return the host and the domains above it, down to two labels."""
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))][:8]


def _any_country(host: str) -> str:
    """Return google.{} for google.de and google.co.uk, as the list writes it."""
    labels = host.split(".")
    end = 2 if len(labels) > 2 and labels[-2] in _SECOND_LEVELS else 1  # noqa: PLR2004 - name, co, uk
    return ".".join([*labels[:-end], "{}"])


def _term(address: str, words: tuple[str, ...]) -> str | None:
    if not words or "?" not in address:
        return None
    try:
        query = parse_qs(urlsplit(address).query, max_num_fields=50, errors="replace")
    except ValueError:
        return None
    return next((query[word][0][:200] for word in words if word in query), None)


@lru_cache(1)
def _spammers() -> frozenset[str]:
    return frozenset(facts("spammers")["hosts"])


@lru_cache(1)
def _by_name() -> dict[str, tuple[str, str]]:
    """Return the sites by the names that people write into utm_source."""
    named = {name.lower(): (medium, name) for medium, name, _ in facts("referrers")["hosts"].values()}
    shorts = {"fb": "facebook", "ig": "instagram", "x": "twitter", "t.co": "twitter", "yt": "youtube"}
    return {**named, **{short: named[name] for short, name in shorts.items() if name in named}}
