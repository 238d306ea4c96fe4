"""Matomo's visits, as its API method Live.getLastVisitsDetails returns them: each visit with its actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from collector.archives.item import Format, Item, moment
from collector.model import Reason, Refusal
from collector.protocols.decode import parse_forgiving
from collector.protocols.dialect import Call
from collector.protocols.matomo import MATOMO

if TYPE_CHECKING:
    from collections.abc import Mapping

# What an action of each type is called where it is sent to Matomo.
_SENT_AS = {
    "action": {},
    "event": {
        "eventCategory": "e_c",
        "eventAction": "e_a",
        "eventName": "e_n",
        "eventValue": "e_v",
    },
    "search": {
        "siteSearchKeyword": "search",
        "siteSearchCategory": "search_cat",
        "siteSearchCount": "search_count",
    },
    "outlink": {"url": "link"},
    "download": {"url": "download"},
    "content": {"contentName": "c_n", "contentPiece": "c_p", "contentTarget": "c_t"},
    "goal": {"goalId": "idgoal", "revenue": "revenue"},
    "ecommerceOrder": {
        "orderId": "ec_id",
        "revenue": "revenue",
        "revenueSubTotal": "ec_st",
        "revenueTax": "ec_tx",
        "revenueShipping": "ec_sh",
        "revenueDiscount": "ec_dt",
    },
    "ecommerceAbandonedCart": {"revenue": "revenue"},
}
_SHOP = {"ecommerceOrder", "ecommerceAbandonedCart"}
_EVERYWHERE = {"url": "url", "pageTitle": "action_name", "idpageview": "pv_id"}
_OF_VISIT = {"visitorId": "_id", "userId": "uid", "visitIp": "cip", "languageCode": "lang"}


def _visit(raw: bytes, _site: str) -> Item:
    visit, _ = parse_forgiving(raw)
    if not isinstance(visit, dict) or not isinstance(visit.get("actionDetails"), list):
        raise Refusal(Reason.MISSING_FIELD, "A visit has a list of actionDetails.")
    actions = [each for each in visit["actionDetails"] if isinstance(each, dict)]
    about = {key: value for key, value in visit.items() if key not in {"actionDetails", *_OF_VISIT}}
    requests = [_request(visit, action) for action in actions]
    if requests:
        requests[0] |= {"visit": about}
        if visit.get("referrerUrl"):
            requests[0].setdefault("urlref", visit["referrerUrl"])
    sent = MATOMO.read(
        Call(orjson.dumps({"requests": requests}), headers={"Content-Type": "application/json"})
    )
    address = visit.get("visitIp")
    last = moment(visit.get("lastActionTimestamp")) or moment(visit.get("serverTimestamp"))
    return Item(sent.protocol, last, address=address if isinstance(address, str) else None)


def _request(visit: Mapping[str, Any], action: Mapping[str, Any]) -> dict[str, Any]:
    """Return an action as it was sent; what has no name there is kept as it stands."""
    sort = str(action.get("type", ""))
    names = {**_EVERYWHERE, **_SENT_AS.get(sort, {})}
    request: dict[str, Any] = {"idsite": str(visit.get("idSite", "1")), "rec": "1"}
    request |= {sent: visit[key] for key, sent in _OF_VISIT.items() if visit.get(key)}
    request |= {names.get(key, key): value for key, value in action.items() if value not in (None, "")}
    request |= {"idgoal": "0"} if sort in _SHOP else {}
    request |= {"idVisit": visit.get("idVisit"), "cdt": action.get("timestamp")}
    return {key: str(value) if isinstance(value, int | float) else value for key, value in request.items()}


FORMATS = {
    "matomo-visits": Format(
        "Matomo's visits, from its API method Live.getLastVisitsDetails", "values", _visit
    )
}
