"""What a source does not want: events of its own office, of a visitor, on a path, from a referrer."""

from __future__ import annotations

import ipaddress
import re
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from collector.model import Reason, Refusal
from collector.recall import remembered

if TYPE_CHECKING:
    from collector.model import Enrichment, Event, Hit


def has_work(lists: Enrichment) -> bool:
    """Tell whether anything stands on a list."""
    return bool(
        lists.suppress_addresses
        or lists.suppress_visitors
        or lists.suppress_paths
        or lists.suppress_referrers
    )


def judge(event: Event, hit: Hit) -> Refusal | None:
    """Set apart an event that stands on one of the source's lists."""
    lists = hit.source.enrichment
    page = event.message["context"].get("page", {})
    suppressed = (
        (lists.suppress_addresses and _within(hit.address or "", lists.suppress_addresses))
        or (lists.suppress_visitors and not _ids(event).isdisjoint(lists.suppress_visitors))
        or (lists.suppress_paths and _any(lists.suppress_paths, page.get("path")))
        or (lists.suppress_referrers and _any(lists.suppress_referrers, _referrer(event)))
    )
    return Refusal(Reason.SUPPRESSED) if suppressed else None


def _ids(event: Event) -> set[Any]:
    return {event.message.get("anonymousId"), event.message.get("userId")}


def _referrer(event: Event) -> Any:
    """Return the host of the referring site."""
    url = event.message["context"].get("page", {}).get("referrer", "")
    return str(url).partition("://")[2].partition("/")[0].partition("?")[0]


@remembered(4096)
def _within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        client = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(client in ipaddress.ip_network(network, strict=False) for network in networks)


def _any(globs: tuple[str, ...], text: Any) -> bool:
    return isinstance(text, str) and _patterns(globs).match(text[:2048]) is not None


@lru_cache(1024)
def _patterns(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, globs)), re.IGNORECASE)
