"""Snowplow's tracker protocol: payloads of texts, with self-describing events and contexts inside them."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from collector.exchange import GIF, PIXEL_HEADERS, Answer
from collector.model import Reason, Refusal
from collector.protocols.batch import text
from collector.protocols.clock import to_ms
from collector.protocols.decode import parse_forgiving
from collector.protocols.dialect import (
    IDS,
    Call,
    Dialect,
    Sent,
    finished,
    first_found,
    in_turn,
    parameters,
    picture_refusal,
    placed,
    with_numbers,
)
from collector.protocols.payload import read_payload
from collector.protocols.segment import speak_for_browser
from collector.protocols.their_limits import TheirLimits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collector.model import Event, Hit, Outcome

NAME = "snowplow"
# https://docs.snowplow.io/docs/fundamentals/canonical-event
LIMITS = TheirLimits(longest_name=1000, longest_url=4096, longest_id=255)
_KINDS = {"pv": "", "pp": "page_ping", "se": "", "ue": "", "tr": "transaction", "ti": "transaction_item"}
PLACES = {
    "eid": "messageId",
    "duid": "anonymousId",
    "uid": "userId",
    "sid": "sessionId",
    "tnuid": f"context.{NAME}.{IDS}.tnuid",
    "url": "context.page.url",
    "page": "context.page.title",
    "refr": "context.page.referrer",
    "tv": "context.library.version",
    "lang": "context.locale",
    "tz": "context.timezone",
    "ua": "context.userAgent",
    "ip": "context.ip",
    "se_ca": "properties.category",
    "se_ac": "event",
    "se_la": "properties.label",
    "se_pr": "properties.property",
    "se_va": "properties.value",
    "pp_mix": "properties.minX",
    "pp_max": "properties.maxX",
    "pp_miy": "properties.minY",
    "pp_may": "properties.maxY",
    **{
        key: f"properties.{key}"
        for key in ("tr_id", "tr_af", "tr_tt", "tr_tx", "tr_sh", "tr_ci", "tr_st", "tr_co", "tr_cu")
    },
    **{key: f"properties.{key}" for key in ("ti_id", "ti_sk", "ti_nm", "ti_ca", "ti_pr", "ti_qu", "ti_cu")},
}
NUMBERS = ("se_va", "pp_mix", "pp_max", "pp_miy", "pp_may", "tr_tt", "tr_tx", "tr_sh", "ti_pr", "ti_qu")
_PACKED = {"ue_px": "ue_pr", "cx": "co"}
_MILLISECONDS = re.compile("[0-9]{1,15}")
_NAME_IN_SCHEMA = re.compile(r"iglu:[^/]+/([^/]{1,200})/")
_SESSION = "/client_session/"


def _read(call: Call) -> Sent:
    flags: tuple[str, ...] = ()
    if call.method == "GET":
        items: Any = [parameters(call.query)]
    else:
        payload = read_payload(call.body, call.headers.get("Content-Type", ""))
        value, flags = payload.value, payload.flags
        items = value.get("data") if isinstance(value, dict) else None
        if not isinstance(items, list):
            raise Refusal(Reason.NOT_A_LIST, "data must be a list of payloads.")
    return Sent(
        tuple(first_found(items, _sites)),
        in_turn(NAME, items, _event, flags, LIMITS),
        anonymous="SP-Anonymous" in call.headers,
        more=call.method,
    )


def _sites(item: Mapping[str, Any]) -> list[str]:
    named = [item.get(key) for key in ("aid", "tna")]
    return [site for site in named if isinstance(site, str) and site]


def _event(index: int, item: dict[str, Any], hit: Hit) -> Event:
    sort = text(item, "e") or ""
    if sort not in _KINDS:
        raise Refusal(Reason.UNKNOWN_TYPE, f"Known types of e: {', '.join(_KINDS)}.")
    read, beside = with_numbers(item, NUMBERS)
    inner = {plain: _inner(read, plain, packed) for packed, plain in _PACKED.items()}
    fields = {key: value for key, value in read.items() if key not in {*_PACKED, *_PACKED.values()}}
    message = placed(NAME, fields, PLACES)
    own = {**message["context"].get(NAME, {}), **beside}
    kind, name = ("page", None) if sort == "pv" else ("track", _KINDS[sort] or text(item, "se_ac"))
    if sort == "ue":
        name = _describe(message, own, inner["ue_pr"])
    if kind == "track":
        if not name:
            raise Refusal(Reason.MISSING_FIELD, "A structured event needs se_ac.")
        message["event"] = name
    _keep_contexts(message, own, inner["co"])
    message["context"][NAME] = own
    speak_for_browser(message["context"], hit)
    message.pop("messageId", None)
    made = _milliseconds(item.get("ttm")) or _milliseconds(item.get("dtm"))
    sent = _milliseconds(item.get("stm"))
    return finished(index, kind, message, hit, message_id=text(item, "eid", 100), original=made, sent=sent)


def _inner(item: Mapping[str, Any], plain: str, packed: str) -> dict[str, Any]:
    """Return the self-describing JSON that stands in a text, plain or as base64. Raises Refusal."""
    written = item.get(plain) or item.get(packed)
    if written is None or written == "":
        return {}
    if not isinstance(written, str):
        raise Refusal(Reason.WRONG_TYPE, f"{plain} must be text.")
    if plain not in item or not item[plain]:
        letters = written.replace(" ", "+").translate(str.maketrans("-_", "+/")).rstrip("=")
        try:
            data = base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise Refusal(Reason.BAD_ENCODING, f"{packed} is no base64.") from None
    else:
        data = written.encode(errors="replace")
    value, _ = parse_forgiving(data)
    if not isinstance(value, dict):
        raise Refusal(Reason.NOT_AN_OBJECT, f"{plain} must hold a schema and data.")
    return value


def _describe(message: dict[str, Any], own: dict[str, Any], outer: dict[str, Any]) -> str:
    """Give the event its name and properties from a self-describing one; its schemas are kept."""
    event = outer.get("data")
    schema = event.get("schema") if isinstance(event, dict) else None
    found = _NAME_IN_SCHEMA.match(schema) if isinstance(schema, str) else None
    if not isinstance(event, dict) or not found:
        raise Refusal(Reason.MISSING_FIELD, "A self-describing event needs the schema of its data.")
    own |= {"schema": schema, "schemaOfEvent": outer.get("schema")}
    data = event.get("data")
    if isinstance(data, dict):
        message["properties"] = data
    else:
        own["data"] = data
    return found[1]


def _keep_contexts(message: dict[str, Any], own: dict[str, Any], outer: dict[str, Any]) -> None:
    """Keep contexts as schema and data; that of a mobile session names visitor and session."""
    if not outer:
        return
    own["schemaOfContexts"] = outer.get("schema")
    contexts = outer.get("data")
    if not isinstance(contexts, list):
        own["contexts"] = contexts
        return
    sessions = [each for each in contexts if isinstance(each, dict) and _SESSION in str(each.get("schema"))]
    own["contexts"] = [each for each in contexts if each not in sessions]
    if sessions:
        own[IDS] = {**own.get(IDS, {}), "contexts": sessions}
        data = sessions[0].get("data")
        for key, place in (("userId", "anonymousId"), ("sessionId", "sessionId")):
            if isinstance(data, dict) and (value := text(data, key)):
                message.setdefault(place, value)


def _milliseconds(value: Any) -> int | None:
    if isinstance(value, str):
        return to_ms(int(value)) if _MILLISECONDS.fullmatch(value) else None
    return to_ms(value)


def _accepted(sent: Sent, _outcomes: Sequence[Outcome]) -> Answer:
    if sent.more == "GET":
        return Answer(200, PIXEL_HEADERS, GIF)
    return Answer(200, {"Cache-Control": "no-store", "Content-Type": "text/plain; charset=utf-8"}, b"ok")


SNOWPLOW = Dialect(NAME, _read, _accepted, picture_refusal)
