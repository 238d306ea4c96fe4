"""The campaign that brought the visitor: utm_ parameters, Matomo's and Piano's names for them, click ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from collector.recall import remembered

if TYPE_CHECKING:
    from collector.model import Hit

# Parameter → the field of Segment's context.campaign. Of two that mean the same, the first one found counts.
FIELDS = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_term": "term",
    "utm_content": "content",
    "utm_id": "id",
    "utm_source_platform": "platform",
    "utm_creative_format": "format",
    "utm_marketing_tactic": "tactic",
    # Matomo's, today's and those of its days as Piwik: https://matomo.org/faq/reports/
    **{f"{prefix}_source": "source" for prefix in ("mtm", "pk")},
    **{f"{prefix}_medium": "medium" for prefix in ("mtm", "pk")},
    **{f"{prefix}_campaign": "name" for prefix in ("mtm", "pk")},
    "mtm_keyword": "term",
    "mtm_kwd": "term",
    "pk_keyword": "term",
    "pk_kwd": "term",
    **{f"{prefix}_content": "content" for prefix in ("mtm", "pk")},
    **{f"{prefix}_cid": "id" for prefix in ("mtm", "pk")},
    "mtm_group": "group",
    "mtm_placement": "placement",
    # Piano Analytics' (AT Internet)
    "at_platform": "source",
    "at_medium": "medium",
    "at_campaign": "name",
    "at_term": "term",
    "at_creation": "content",
    "at_format": "format",
    "at_variant": "variant",
}
# Ids that advertisers and networks put on a click, with whose they are.
CLICK_IDS = {
    "gclid": "google",
    "gbraid": "google",
    "wbraid": "google",
    "dclid": "google",
    "gclsrc": "google",
    "fbclid": "facebook",
    "igshid": "instagram",
    "msclkid": "bing",
    "ttclid": "tiktok",
    "twclid": "twitter",
    "li_fat_id": "linkedin",
    "ScCid": "snapchat",
    "epik": "pinterest",
    "rdt_cid": "reddit",
    "qclid": "quora",
    "yclid": "yandex",
    "ysclid": "yandex",
    "irclickid": "impact",
    "awc": "awin",
    "cjevent": "cj",
    "tblci": "taboola",
    "obclid": "outbrain",
    "mc_eid": "mailchimp",
    "_hsenc": "hubspot",
    "mkt_tok": "marketo",
}
PARAMETERS = frozenset((*FIELDS, *CLICK_IDS))

_ANY = re.compile("|".join(sorted({"utm_", "mtm_", "pk_", "at_", *CLICK_IDS})))
_MOST_PARAMETERS = 100
_LONGEST = 512


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:  # noqa: ARG001 - every step has the same shape
    """Tell campaign, when the page's address names one; else what the tracker remembered stays."""
    page = context.get("page")
    search = page.get("search") if isinstance(page, dict) else None
    if not isinstance(search, str) or not _ANY.search(search):
        return {}
    campaign = read(search)
    return {"campaign": campaign} if campaign else {}


@remembered(1024)
def read(search: str) -> dict[str, Any]:
    """Return the campaign that a query string names. The result is shared: never change it."""
    parameters = search.removeprefix("?").split("&", _MOST_PARAMETERS)
    if len(parameters) > _MOST_PARAMETERS:  # more than any campaign has
        return {}
    found: dict[str, Any] = {}
    clicks: dict[str, str] = {}
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if value and key in FIELDS:
            found.setdefault(FIELDS[key], _readable(value)[:_LONGEST])
        elif value and key in CLICK_IDS:
            clicks.setdefault(key, _readable(value)[:_LONGEST])
    return {**found, "clickIds": clicks} if clicks else found


def _readable(value: str) -> str:
    return unquote_plus(value, errors="replace") if "%" in value or "+" in value else value
