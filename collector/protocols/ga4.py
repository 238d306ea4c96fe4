"""Google Analytics 4: the Measurement Protocol of servers and apps; its pages' hits are gtag's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from collector.exchange import Answer
from collector.model import Reason, Refusal
from collector.protocols.batch import an_object, text
from collector.protocols.clock import to_ms
from collector.protocols.dialect import (
    IDS,
    Call,
    Dialect,
    Sent,
    finished,
    in_turn,
    json_body,
    parameters,
    placed,
)
from collector.protocols.ga4_rules import LIMITS, judged, message_of
from collector.protocols.gtag import COLLECT_PATH, KINDS, NAME, gtag
from collector.protocols.payload import read_payload
from collector.protocols.segment import speak_for_browser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collector.model import Event, Hit, Outcome

DEBUG_PATH = "/debug/mp/collect"
PLACES = {"user_id": "userId", "user_agent": "context.userAgent", "ip_override": "context.ip"}
PARAM_PLACES = {
    "page_location": "context.page.url",
    "page_title": "context.page.title",
    "page_referrer": "context.page.referrer",
    "language": "context.locale",
}
_PEOPLE = ("client_id", "app_instance_id")  # the first that is there is who it was
_SECRET = "api_secret"  # noqa: S105 - the parameter's name


def _read(call: Call) -> Sent:
    path = call.path.rstrip("/")
    return gtag(call) if path.endswith(COLLECT_PATH) else _measured(call, debug=path.endswith(DEBUG_PATH))


def _measured(call: Call, *, debug: bool) -> Sent:
    """Return what the Measurement Protocol sent; for ``debug`` what Google would say of it, and no event."""
    LIMITS.admit_body(call.body)
    payload = read_payload(call.body, call.headers.get("Content-Type", ""))
    envelope = payload.value
    if not isinstance(envelope, dict):
        raise Refusal(Reason.NOT_AN_OBJECT, "The body must be an object with client_id and events.")
    query = parameters(call.query)
    secret = query.get(_SECRET, "")
    named = (query.get("measurement_id"), query.get("firebase_app_id"), secret)
    items = [] if debug else _items(envelope.get("events"))

    def one(index: int, item: dict[str, Any], hit: Hit) -> Event:
        return _event(index, item, hit, envelope)

    return Sent(
        tuple(filter(None, named)),
        in_turn(NAME, items, one, payload.flags, LIMITS),
        secrets=tuple(filter(None, (secret, quote(secret)))),
        more=judged(envelope) if debug else None,
    )


def _items(events: Any) -> list[Any]:
    items = [events] if isinstance(events, dict) else events  # ga4mp's postponed events stand alone
    if not isinstance(items, list):
        raise Refusal(Reason.NOT_A_LIST, "events must be a list.")
    return items


def _event(index: int, item: dict[str, Any], hit: Hit, envelope: Mapping[str, Any]) -> Event:
    name = text(item, "name")
    if name is None:
        raise Refusal(Reason.MISSING_FIELD, "An event needs name.")
    kind = KINDS.get(name, "track")
    placed_apart = {"events", "user_properties", *_PEOPLE}
    message = placed(NAME, {k: v for k, v in envelope.items() if k not in placed_apart}, PLACES)
    own: dict[str, Any] = message["context"].pop(NAME, {})
    _name_people(message, envelope, own)
    _place_traits(message, envelope.get("user_properties"), own)
    _place_params(message, kind, an_object(item, "params"), own)
    if rest := {key: value for key, value in item.items() if key not in {"name", "params"}}:
        own["event"] = rest
    message |= {"event": name} if kind == "track" else {}
    message["context"] |= {NAME: own} if own else {}
    speak_for_browser(message["context"], hit)
    at = _micros(item.get("timestamp_micros"))
    at = _micros(envelope.get("timestamp_micros")) if at is None else at
    return finished(index, kind, message, hit, original=at)


def _name_people(message: dict[str, Any], envelope: Mapping[str, Any], own: dict[str, Any]) -> None:
    """Say who it was; what is no text, or says a second time who it was, is kept where ids are."""
    ids: dict[str, Any] = {}
    if "user_id" in own:
        ids["user_id"] = own.pop("user_id")
        message |= {"userId": user} if (user := text(ids, "user_id")) else {}
    for key in (key for key in _PEOPLE if key in envelope):
        who = text(envelope, key)
        if who is None or message.setdefault("anonymousId", who) != who or envelope[key] != who:
            ids[key] = envelope[key]
    if "anonymousId" not in message:
        raise Refusal(Reason.MISSING_FIELD, "A request needs client_id or app_instance_id.")
    own |= {IDS: ids} if ids else {}


def _place_traits(message: dict[str, Any], said: Any, own: dict[str, Any]) -> None:
    """Make traits of user properties; one that says more than its value is kept as it came."""
    if said is None:
        return
    if not isinstance(said, dict):
        own["user_properties"] = said
        return
    plain = {
        key: each["value"] for key, each in said.items() if isinstance(each, dict) and set(each) == {"value"}
    }
    if plain:
        message["context"]["traits"] = plain
    if rest := {key: each for key, each in said.items() if key not in plain}:
        own["user_properties"] = rest


def _place_params(message: dict[str, Any], kind: str, params: dict[str, Any], own: dict[str, Any]) -> None:
    """Put an event's parameters in their places: those that GA4 has no meaning for are its properties."""
    if "session_id" in params:
        session = text(params, "session_id")
        message |= {"sessionId": session} if session else {}
        if session != params["session_id"]:
            own[IDS] = {**own.get(IDS, {}), "session_id": params["session_id"]}
    named = {"screen_name": "name"} if kind == "screen" else {}
    inner = placed(
        "", {key: value for key, value in params.items() if key != "session_id"}, PARAM_PLACES | named
    )
    context = inner.pop("context")
    if rest := context.pop("", {}):
        message["properties"] = rest
    message |= inner
    message["context"] |= context


def _micros(value: Any) -> int | None:
    """Return microseconds since 1970, or a text of them, as milliseconds."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 17:  # noqa: PLR2004
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return to_ms(value / 1000)
    return None


def _accepted(sent: Sent, _outcomes: Sequence[Outcome]) -> Answer:
    if sent.more is not None:
        return json_body(200, {"validationMessages": sent.more})
    return Answer(204, {"Cache-Control": "no-store"})


def _refused(call: Call, refusal: Refusal) -> Answer | None:
    """Answer who asks for validation with what is wrong; others, and overload, with the reason's own."""
    if not call.path.rstrip("/").endswith(DEBUG_PATH) or refusal.retry_after is not None:
        return None
    keyed = refusal.reason is Reason.UNKNOWN_KEY
    said = message_of("measurement_id" if keyed else "", refusal.message, "VALUE_INVALID")
    return json_body(200, {"validationMessages": [said]})


GA4 = Dialect(NAME, _read, _accepted, _refused)
