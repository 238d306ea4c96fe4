"""Matomo's tracking API: one hit in a query or a form, or many in JSON. Its tokens are never kept."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from collector.exchange import GIF, PIXEL_HEADERS, Answer
from collector.model import Reason, Refusal
from collector.protocols.batch import text
from collector.protocols.clock import seconds_to_ms, to_ms
from collector.protocols.dialect import (
    MOST_ITEMS,
    Call,
    Dialect,
    Sent,
    finished,
    first_found,
    in_turn,
    inner_json,
    json_body,
    parameters,
    picture_refusal,
    placed,
    with_numbers,
)
from collector.protocols.payload import read_payload
from collector.protocols.segment import speak_for_browser
from collector.protocols.their_limits import Fields, TheirLimits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.model import Event, Hit, Outcome

NAME = "matomo"
# https://matomo.org/faq/troubleshooting/faq_21239/ and the columns of its tables
LIMITS = TheirLimits(cut_name=1024, properties=Fields(value=1024), longest_id=200)
_TOKEN = "token_auth"  # noqa: S105 - the parameter's name
PLACES = {
    "url": "context.page.url",
    "action_name": "context.page.title",
    "urlref": "context.page.referrer",
    "uid": "userId",
    "lang": "context.locale",
    "ua": "context.userAgent",
    "cip": "context.ip",
    "e_c": "properties.category",
    "e_a": "event",
    "e_n": "properties.name",
    "e_v": "properties.value",
    "search": "properties.query",
    "search_cat": "properties.searchCategory",
    "search_count": "properties.results",
    "link": "properties.link",
    "download": "properties.download",
    "idgoal": "properties.goalId",
    "revenue": "properties.revenue",
    "ec_id": "properties.orderId",
    "ec_items": "properties.items",
    "ec_st": "properties.subtotal",
    "ec_tx": "properties.tax",
    "ec_sh": "properties.shipping",
    "ec_dt": "properties.discount",
    "c_n": "properties.content",
    "c_p": "properties.piece",
    "c_t": "properties.target",
    "c_i": "properties.interaction",
    "cvar": "properties.customVariables",
    "_cvar": "properties.visitVariables",
    **{f"dimension{number}": f"properties.dimension{number}" for number in range(1, 1000)},
}
NUMBERS = ("e_v", "search_count", "revenue", "ec_st", "ec_tx", "ec_sh", "ec_dt")
JSON = ("ec_items", "cvar", "_cvar")
# The first parameter that is there says what a hit is; of none it is a page view.
_KINDS = (
    ("e_a", ""),
    ("e_c", ""),
    ("ping", "ping"),
    ("search", "search"),
    ("link", "outlink"),
    ("download", "download"),
    ("c_n", "content"),
    ("cra", "crash"),
    ("ca", "custom"),
)
_VISITOR = re.compile("[0-9a-fA-F]{16}")


def _read(call: Call) -> Sent:
    payload = read_payload(call.body, call.headers.get("Content-Type", ""))
    envelope = payload.value if payload.kind == "json" and isinstance(payload.value, dict) else {}
    bulk = "requests" in envelope
    if bulk:
        requests = envelope["requests"]
        if not isinstance(requests, list):
            raise Refusal(Reason.NOT_A_LIST, "requests must be a list.")
        if len(requests) > MOST_ITEMS:  # before each is read
            raise Refusal(Reason.TOO_MANY_EVENTS, f"The limit is {MOST_ITEMS}.")
        items = [_of_request(request) for request in requests]
    else:
        form = call.body.decode(errors="replace") if payload.kind in {"form", "text"} else ""
        fields = envelope or parameters(form)
        items = [{**parameters(call.query), **fields}]
    tokens = [envelope.get(_TOKEN)] + [_without_token(item) for item in items]
    secrets = [token for token in tokens if isinstance(token, str) and token]
    sites = first_found(items, _sites)

    def one(index: int, item: dict[str, Any], hit: Hit) -> Event:
        if _sites(item) != sites:
            raise Refusal(Reason.UNKNOWN_SOURCE, "A bulk request is for one site.")
        return _event(index, item, hit)

    silent = not bulk and text(items[0], "send_image") == "0"
    return Sent(
        tuple(sites),
        in_turn(NAME, items, one, payload.flags, LIMITS),
        secrets=(*secrets, *map(quote, secrets)),
        more="bulk" if bulk else "silent" if silent else "picture",
        tells_each=bulk,
    )


def _of_request(request: Any) -> Any:
    """Return a request of a bulk: a query string, or an object of parameters; what is neither as it is."""
    if isinstance(request, str):
        with contextlib.suppress(Refusal):
            return parameters(request.partition("?")[2] or request)
    return request


def _without_token(item: Any) -> Any:
    return item.pop(_TOKEN, None) if isinstance(item, dict) else None


def _sites(item: dict[str, Any]) -> list[str]:
    with contextlib.suppress(Refusal):
        return [site] if (site := text(item, "idsite")) else []
    return []


def _event(index: int, item: dict[str, Any], hit: Hit) -> Event:
    if text(item, "rec") != "1":
        raise Refusal(Reason.MISSING_FIELD, "A hit needs rec=1.")
    name = _name(item)
    read, beside = with_numbers(item, NUMBERS)
    message = placed(NAME, {**read, **inner_json(read, JSON)}, PLACES)
    if beside:
        message["context"][NAME] = {**message["context"].get(NAME, {}), **beside}
    if name:
        message["event"] = name
    _name_visitor(message, item)
    speak_for_browser(message["context"], hit)
    said = item.get("cdt")
    original = seconds_to_ms(said) or to_ms(said)
    return finished(index, "track" if name else "page", message, hit, original=original)


def _name(item: dict[str, Any]) -> str | None:
    """Return the name of what happened, None for a page view."""
    if goal := text(item, "idgoal"):
        shop = "order" if text(item, "ec_id") else "cart"
        return shop if goal == "0" else "goal"
    key, name = next((pair for pair in _KINDS if text(item, pair[0], 8192)), ("", None))
    return name if name is None or name else text(item, key)


def _name_visitor(message: dict[str, Any], item: dict[str, Any]) -> None:
    """Say who it was: ``cid`` stands for ``_id``; both are sixteen hexadecimal digits or no id at all."""
    own = message["context"].get(NAME, {})
    for key in ("cid", "_id"):
        value = item.get(key)
        if isinstance(value, str) and _VISITOR.fullmatch(value):
            message.setdefault("anonymousId", value)
            own.pop(key, None)
            if message["anonymousId"] != value:
                own["ids"] = {**own.get("ids", {}), key: value}


def _accepted(sent: Sent, outcomes: Sequence[Outcome]) -> Answer:
    if sent.more == "silent":
        return Answer(204, {"Cache-Control": "no-store"})
    if sent.more == "picture":
        return Answer(200, PIXEL_HEADERS, GIF)
    bad = [outcome.index for outcome in outcomes if outcome.refusal]
    told = {"status": "success", "tracked": len(outcomes) - len(bad), "invalid": len(bad)}
    return json_body(200, {**told, "invalid_indices": bad} if bad else told)


MATOMO = Dialect(NAME, _read, _accepted, picture_refusal)
