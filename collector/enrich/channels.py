"""The channel group of a visit, by the rules of Google Analytics 4's default channel group, in their order.

https://support.google.com/analytics/answer/9756891 . AI assistants came later and are a group of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.enrich.campaign import CLICK_IDS
from collector.enrich.paid import AFFILIATE_CLICKS, MAIL_CLICKS, is_paid
from collector.enrich.referrer import site
from collector.recall import remembered

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.model import Hit

_SHOPPING_NAME = re.compile(r"(.*([^a-df-z]|^)shop|shopping).*")
_MAIL = {"email", "e-mail", "e_mail", "e mail"}
_SOCIAL = {"social", "social-network", "social-media", "sm", "social network", "social media"}
_DISPLAY = {"display", "banner", "expandable", "interstitial", "cpm"}
_PUSH = re.compile(r".*push|.*mobile.*|.*notification.*")
_VIDEO_SITES = ("youtube", "vimeo", "twitch", "dailymotion", "netflix", "hulu", "disneyplus", "iqiyi")
_SHOPS = ("amazon", "ebay", "etsy", "walmart", "alibaba", "shopify", "shopping.google", "mercadolibre")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class _Visit:
    """How a visitor came; ``kind`` is the sending site's, such as search, social, ai, video, shopping."""

    source: str
    medium: str
    name: str
    clicks: frozenset[str]
    kind: str
    came_by: str

    @property
    def paid(self) -> bool:
        return is_paid(self.medium, self.clicks)

    @property
    def shopping(self) -> bool:
        return self.kind == "shopping" or _SHOPPING_NAME.fullmatch(self.name) is not None

    @property
    def plain(self) -> bool:
        return not (self.source or self.medium)


# The first row that fits is the group. What a click tells stands before Referral, which would take it.
_TABLE: tuple[tuple[str, Callable[[_Visit], bool]], ...] = (
    ("Direct", lambda v: v.plain and not v.clicks and v.came_by in {"direct", "internal"}),
    ("Cross-network", lambda v: "cross-network" in v.name),
    ("Paid Shopping", lambda v: v.paid and v.shopping),
    ("Paid Search", lambda v: v.paid and v.kind == "search"),
    ("Paid Social", lambda v: v.paid and v.kind == "social"),
    ("Paid Video", lambda v: v.paid and v.kind == "video"),
    ("Display", lambda v: v.medium in _DISPLAY),
    ("Paid Other", lambda v: v.paid),
    ("Organic Shopping", lambda v: v.shopping),
    ("AI Assistant", lambda v: v.kind == "ai"),
    ("Organic Social", lambda v: v.kind == "social" or v.medium in _SOCIAL),
    ("Organic Video", lambda v: v.kind == "video" or "video" in v.medium),
    ("Organic Search", lambda v: v.kind == "search" or v.medium == "organic"),
    ("Affiliates", lambda v: v.plain and bool(v.clicks & AFFILIATE_CLICKS)),
    ("Email", lambda v: v.plain and bool(v.clicks & MAIL_CLICKS)),
    ("Referral", lambda v: v.medium in {"referral", "app", "link"} or (v.plain and v.came_by == "other")),
    ("Email", lambda v: bool({v.source, v.medium} & _MAIL) or v.kind == "email"),
    ("Affiliates", lambda v: v.medium == "affiliate"),
    ("Audio", lambda v: v.medium == "audio"),
    ("SMS", lambda v: "sms" in {v.source, v.medium}),
    ("Mobile Push Notifications", lambda v: bool(_PUSH.fullmatch(v.medium)) or v.source == "firebase"),
)


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:  # noqa: ARG001 - every step has the same shape
    """Tell channelGroup from campaign and referrer."""
    referrer = context.get("referrer")
    if not isinstance(referrer, dict):
        return {}
    campaign = context.get("campaign")
    if not isinstance(campaign, dict):
        campaign = {}
    clicks = campaign.get("clickIds") or ()
    return {
        "channelGroup": group(
            (_text(campaign, "source"), _text(campaign, "medium"), _text(campaign, "name")),
            frozenset(clicks) if isinstance(clicks, dict) and len(clicks) <= len(CLICK_IDS) else frozenset(),
            (_text(referrer, "medium"), _text(referrer, "source")),
        )
    }


@remembered(4096)
def group(campaign: tuple[str, str, str], clicks: frozenset[str], referrer: tuple[str, str]) -> str:
    """Return the channel group of a campaign's source, medium and name, and a referrer's medium and source.

    All are in lower case.
    """
    source, medium, name = campaign
    clicks &= CLICK_IDS.keys()
    came_by, came_from = referrer
    visit = _Visit(source, medium, name, clicks, _kind(source, clicks, came_by, came_from), came_by)
    return next((name for name, fits in _TABLE if fits(visit)), "Unassigned")


def _kind(source: str, clicks: frozenset[str], came_by: str, came_from: str) -> str:
    """Return the kind of the sending site, known by the campaign, else by the click, else by the referrer."""
    named = source or next((CLICK_IDS[key] for key in sorted(clicks)), "")
    kind, name = site(named) if named else (came_by, came_from)
    name = (name or named).lower()
    if name.startswith(_VIDEO_SITES):
        return "video"
    return "shopping" if name.startswith(_SHOPS) else kind


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key)
    return value[:_LONGEST].lower() if isinstance(value, str) else ""
