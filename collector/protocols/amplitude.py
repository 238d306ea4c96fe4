"""Amplitude's HTTP V2 and batch upload: the same events, with other limits, and answers its SDKs act upon."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from collector.model import Reason, Refusal
from collector.protocols.batch import an_object, text
from collector.protocols.clock import to_ms
from collector.protocols.dialect import IDS, Call, Dialect, Sent, finished, in_turn, json_body, placed
from collector.protocols.ids import digest
from collector.protocols.payload import read_payload
from collector.protocols.segment import speak_for_browser
from collector.protocols.their_limits import Fields, TheirLimits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collector.exchange import Answer
    from collector.model import Event, Hit, Outcome

NAME = "amplitude"
BATCH_PATH = "/batch"
PAGE_VIEW = "[Amplitude] Page Viewed"
KINDS = {"$identify": "identify", "$groupidentify": "group", PAGE_VIEW: "page"}
# https://amplitude.com/docs/apis/analytics/http-v2 and …/batch-event-upload
_TEXTS = Fields(value=1024)
_LIMITS = TheirLimits(
    events=2000, cut_name=1024, properties=_TEXTS, traits=_TEXTS, shortest_id=5, longest_id=1024
)
LIMITS = replace(_LIMITS, body_bytes=1_000_000)
BATCH_LIMITS = replace(_LIMITS, body_bytes=20_000_000)
PLACES = {
    "ip": "context.ip",
    "language": "context.locale",
    "user_agent": "context.userAgent",
    "library": "context.library.name",
    **{key: f"context.{NAME}.{IDS}.{key}" for key in ("idfa", "idfv", "adid", "android_id")},
}
# What an event may say of a purchase beside its properties.
REVENUE = ("revenue", "price", "quantity", "productId", "revenueType", "currency")
PAGE = {"[Amplitude] Page Location": "url", "[Amplitude] Page Title": "title"}
_PEOPLE = {"user_id": "userId", "device_id": "anonymousId"}
_APART = {"event_type", "event_properties", "user_properties", "group_properties", "session_id", "insert_id"}
_REMOTE = "$remote"  # Amplitude's word for the address that it was sent from
_NO_SESSION = -1
# What no client can mend: it shall give up.
_FOR_GOOD = {Reason.UNKNOWN_KEY, Reason.SOURCE_DISABLED, Reason.ORIGIN_FORBIDDEN}
_LONGEST_ID = 200


def _read(call: Call) -> Sent:
    limits = BATCH_LIMITS if call.path.rstrip("/").endswith(BATCH_PATH) else LIMITS
    limits.admit_body(call.body)
    payload = read_payload(call.body, call.headers.get("Content-Type", ""))
    envelope = payload.value
    if not isinstance(envelope, dict):
        raise Refusal(Reason.NOT_AN_OBJECT, "The body must be an object with api_key and events.")
    events = envelope.get("events")
    items = [events] if isinstance(events, dict) else events
    if not isinstance(items, list):
        raise Refusal(Reason.NOT_A_LIST, "events must be a list.")
    sent = to_ms(envelope.get("client_upload_time"))

    def one(index: int, item: dict[str, Any], hit: Hit) -> Event:
        return _event(index, item, hit, sent)

    key = text(envelope, "api_key")
    limits = replace(limits, shortest_id=_shortest_id(envelope, limits.shortest_id))
    return Sent(
        (key,) if key else (),
        in_turn(NAME, items, one, payload.flags, limits),
        more=len(call.body),
        tells_each=True,
    )


def _shortest_id(envelope: Mapping[str, Any], usual: int) -> int:
    asked = an_object(envelope, "options").get("min_id_length")
    return asked if isinstance(asked, int) and not isinstance(asked, bool) and asked > 0 else usual


def _event(index: int, item: dict[str, Any], hit: Hit, sent: int | None) -> Event:
    name = text(item, "event_type")
    if name is None:
        raise Refusal(Reason.MISSING_FIELD, "An event needs event_type.")
    kind = KINDS.get(name, "track")
    message = placed(NAME, {k: v for k, v in item.items() if k not in {*_APART, *_PEOPLE, *REVENUE}}, PLACES)
    own: dict[str, Any] = message["context"].pop(NAME, {})
    message |= {"event": name} if kind == "track" else {}
    original = to_ms(item.get("time"))
    if original == item.get("time"):
        own.pop("time", None)
    _name_people(message, item, own)
    _place_properties(message, kind, item, own)
    _place_traits(message, kind, item, own)
    _place_address(message["context"], own, hit)
    message["context"] |= {NAME: own} if own else {}
    speak_for_browser(message["context"], hit)
    message_id = text(item, "insert_id", _LONGEST_ID) or (digest(item) if original is not None else None)
    return finished(index, kind, message, hit, message_id=message_id, original=original, sent=sent)


def _name_people(message: dict[str, Any], item: Mapping[str, Any], own: dict[str, Any]) -> None:
    """Say who it was and in which session; what is no text is kept where ids are."""
    ids: dict[str, Any] = dict(own.get(IDS, {}))
    for key, place in _PEOPLE.items():
        if who := text(item, key):
            message[place] = who
        if key in item and item[key] != message.get(place):
            ids[key] = item[key]
    if not any(place in message for place in _PEOPLE.values()):
        raise Refusal(Reason.MISSING_FIELD, "An event needs user_id or device_id.")
    if "session_id" in item:
        session = text(item, "session_id")
        message |= {"sessionId": session} if session and session != str(_NO_SESSION) else {}
        if message.get("sessionId") != item["session_id"]:
            ids["session_id"] = item["session_id"]
    own |= {IDS: ids} if ids else {}


def _place_properties(
    message: dict[str, Any], kind: str, item: Mapping[str, Any], own: dict[str, Any]
) -> None:
    """Put properties and what is said of a purchase together; a page view's address is its page's."""
    properties = dict(an_object(item, "event_properties"))
    if kind == "page":
        page = {place: properties.pop(key) for key, place in PAGE.items() if _is_text(properties.get(key))}
        message["context"] |= {"page": page} if page else {}
    for key in (key for key in REVENUE if key in item):
        if key in properties:
            own[key] = item[key]
        else:
            properties[key] = item[key]
    if properties:
        message["properties"] = properties


def _place_traits(message: dict[str, Any], kind: str, item: Mapping[str, Any], own: dict[str, Any]) -> None:
    """Make traits of what is set for the person, or for the group; other operations are kept as they came."""
    group = kind == "group"
    key = "group_properties" if group else "user_properties"
    said = an_object(item, key)
    operations = any(name.startswith("$") for name in said)
    traits, rest = (an_object(said, "$set"), {**said}) if operations else (said, {})
    rest.pop("$set", None)
    if traits:
        holder = message if kind in {"identify", "group"} else message["context"]
        holder["traits"] = traits
    own |= {key: rest} if rest else {}
    other = "user_properties" if group else "group_properties"
    own |= {other: item[other]} if other in item else {}
    if group:
        message["groupId"] = _group(an_object(item, "groups"))


def _group(groups: Mapping[str, Any]) -> str:
    name = next((text(groups, key) for key in groups if not isinstance(groups[key], list)), None)
    if name is None:
        raise Refusal(Reason.MISSING_FIELD, "A group needs groups with one name.")
    return name


def _place_address(context: dict[str, Any], own: dict[str, Any], hit: Hit) -> None:
    """Tell the address only where the client asks for it, as Amplitude does."""
    if context.get("ip") == _REMOTE:
        own["ip"] = _REMOTE
        context["ip"] = hit.address
    context.setdefault("ip", None)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _accepted(sent: Sent, outcomes: Sequence[Outcome]) -> Answer:
    """Tell how many are safe, and which are refused: its SDKs send the others of a 400 again."""
    bad = {outcome.index: outcome.refusal for outcome in outcomes if outcome.refusal}
    if outcomes and len(bad) == len(outcomes):
        first = next(iter(bad.values()))
        return json_body(first.reason.status, _told(first.reason.status, first.message) | _by_reason(bad))
    told = {"code": 200, "events_ingested": len(outcomes) - len(bad), "payload_size_bytes": sent.more}
    return json_body(200, told | (_by_reason(bad) if bad else {}))


def _by_reason(bad: Mapping[int, Refusal]) -> dict[str, Any]:
    """Return the places of the refused by the reason, where its SDKs look for what not to send again."""
    missing: dict[str, list[int]] = {}
    invalid: dict[str, list[int]] = {}
    for index, refusal in bad.items():
        rows = missing if refusal.reason is Reason.MISSING_FIELD else invalid
        rows.setdefault(refusal.reason.code, []).append(index)
    return {"events_with_missing_fields": missing, "events_with_invalid_fields": invalid}


def _told(status: int, error: str) -> dict[str, Any]:
    return {"code": status, "error": error}


def _refused(_call: Call, refusal: Refusal) -> Answer:
    """Answer as its SDKs read it: by ``code``, and by how ``error`` begins where they shall give up."""
    status = refusal.reason.status
    wait = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after is not None else {}
    told = _told(status, refusal.message)
    if refusal.reason is Reason.RATE_LIMITED:
        told |= {"eps_threshold": 0, "throttled_devices": {}, "throttled_users": {}, "throttled_events": []}
    if refusal.reason in _FOR_GOOD:
        status = Reason.BAD_REQUEST.status
        told = _told(status, f"Invalid API key: {refusal.message}")  # with these words they give up
    answer = json_body(status, told)
    return replace(answer, headers={**answer.headers, **wait})


AMPLITUDE = Dialect(NAME, _read, _accepted, _refused)
