"""What was paid for: by the medium that a campaign names, or by the id that an advertiser puts on a click."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from collector.enrich.campaign import CLICK_IDS

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from collector.model import Hit

_MEDIUM = re.compile(r".*cp.*|ppc|retargeting|paid.*", re.IGNORECASE)
MAIL_CLICKS = frozenset(("mc_eid", "_hsenc", "mkt_tok"))
AFFILIATE_CLICKS = frozenset(("irclickid", "awc", "cjevent"))
# These are on every outgoing link, whether anyone paid or not.
_ANY_CLICKS = frozenset(("fbclid", "igshid", "ysclid"))
_CLICKS = frozenset(CLICK_IDS) - MAIL_CLICKS - AFFILIATE_CLICKS - _ANY_CLICKS
_LONGEST = 200


def is_paid(medium: str, clicks: AbstractSet[str]) -> bool:
    """Tell whether a campaign's medium is a paid one for Google Analytics 4, or a click an advertiser's.

    https://support.google.com/analytics/answer/9756891
    """
    return not clicks.isdisjoint(_CLICKS) or _MEDIUM.fullmatch(medium) is not None


def step(context: dict[str, Any], hit: Hit) -> dict[str, Any]:  # noqa: ARG001 - every step has the same shape
    """Tell paid as the referrer's medium when a paid campaign brought the visitor from elsewhere."""
    campaign, referrer = context.get("campaign"), context.get("referrer")
    if (
        not isinstance(campaign, dict)
        or not isinstance(referrer, dict)
        or referrer.get("medium") == "internal"
    ):
        return {}
    medium, clicks = campaign.get("medium"), campaign.get("clickIds")
    named = medium[:_LONGEST] if isinstance(medium, str) else ""
    paid = is_paid(named, clicks.keys() if isinstance(clicks, dict) else frozenset())
    return {"referrer": {**referrer, "medium": "paid"}} if paid else {}
