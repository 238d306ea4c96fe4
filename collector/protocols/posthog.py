"""PostHog's capture APIs: batches and single events, plain, gzipped or as base64 in a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.model import Reason, Refusal
from collector.protocols.batch import an_object, text
from collector.protocols.clock import seconds_to_ms, to_ms
from collector.protocols.dialect import (
    IDS,
    Call,
    Dialect,
    Sent,
    finished,
    first_found,
    in_turn,
    json_body,
    placed,
)
from collector.protocols.ids import digest
from collector.protocols.packed import sent_at, unpacked
from collector.protocols.segment import speak_for_browser
from collector.protocols.their_limits import TheirLimits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collector.exchange import Answer
    from collector.model import Event, Hit, Outcome

NAME = "posthog"
# https://github.com/PostHog/posthog/tree/master/rust/capture; an event of more than 1 MB is larger than ours
LIMITS = TheirLimits(body_bytes=20_000_000, longest_id=200)
EACH_PATH = "/i/v1/analytics/events"  # the one whose answer names what became of each event
KINDS = {
    "$pageview": "page",
    "$screen": "screen",
    "$identify": "identify",
    "$set": "identify",
    "$groupidentify": "group",
    "$create_alias": "alias",
}
PLACES = {
    "uuid": "messageId",
    "$set": "context.traits",
    "session_id": "sessionId",
    "window_id": f"context.{NAME}.{IDS}.window_id",
}
PROPERTY_PLACES = {
    "$current_url": "context.page.url",
    "title": "context.page.title",
    "$referrer": "context.page.referrer",
    "$session_id": "sessionId",
    "$screen_name": "name",
    "$lib": "context.library.name",
    "$lib_version": "context.library.version",
    "$raw_user_agent": "context.userAgent",
    "$timezone": "context.timezone",
    "$ip": "context.ip",
    "$group_key": "groupId",
    "$group_set": "traits",
    "$set": "context.traits",
    **{
        name: f"context.{NAME}.{IDS}.{name}"
        for name in ("$device_id", "$anon_distinct_id", "$user_id", "$window_id", "$pageview_id")
    },
}
# The person is said in other fields; the token names the project and may be a write key.
_SAID = {"token", "distinct_id"}
_LONGEST_ID = 200
_DISABLED = {"sessionRecording": False, "surveys": False, "heatmaps": False, "siteApps": []}
# What browsers ask before they send: no flags, nothing else to fetch.
CONFIG = {
    **_DISABLED,
    "supportedCompression": ["gzip", "gzip-js"],
    "hasFeatureFlags": False,
    "autocapture_opt_out": False,
    "defaultIdentifiedOnly": True,
    "capturePerformance": False,
    "toolbarParams": {},
    "isAuthenticated": False,
}
FLAGS = {
    **CONFIG,
    "config": {},
    "flags": {},
    "featureFlags": {},
    "featureFlagPayloads": {},
    "errorsWhileComputingFlags": False,
    "quotaLimited": [],
}


def _read(call: Call) -> Sent:
    LIMITS.admit_body(call.body)
    packed = unpacked(call)
    value = packed.value
    envelope = value if isinstance(value, dict) else {}
    items = envelope.get("batch", [value]) if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise Refusal(Reason.NOT_A_LIST, "The body must be an event, a list of events or have a batch.")
    sent = to_ms(envelope.get("sent_at")) or sent_at(packed.fields)

    def one(index: int, item: dict[str, Any], hit: Hit) -> Event:
        return _event(index, item, hit, sent)

    each = call.path.rstrip("/").endswith(EACH_PATH)
    ids = [item.get("uuid") if isinstance(item, dict) else None for item in items]
    return Sent(
        tuple(_tokens(call, envelope, items)),
        in_turn(NAME, items, one, packed.flags, LIMITS),
        more=[item if isinstance(item, str) else "" for item in ids] if each else None,
        tells_each=each,
    )


def _tokens(call: Call, envelope: Mapping[str, Any], items: list[Any]) -> list[str]:
    scheme, _, bearer = call.headers.get("Authorization", "").partition(" ")
    named: list[Any] = [bearer.strip() if scheme.lower() == "bearer" else ""]
    named += [*_own_tokens(envelope), *first_found(items, _inner_tokens)]
    return [token for token in dict.fromkeys(map(_text, named)) if token]


def _inner_tokens(item: Mapping[str, Any]) -> list[str]:
    inside = item.get("properties")
    return [*_own_tokens(item), *(_own_tokens(inside) if isinstance(inside, dict) else ())]


def _own_tokens(part: Mapping[str, Any]) -> list[str]:
    return [token for key in ("api_key", "token") if (token := _text(part.get(key)))]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _event(index: int, item: dict[str, Any], hit: Hit, sent: int | None) -> Event:
    name = text(item, "event")
    if name is None:
        raise Refusal(Reason.MISSING_FIELD, "An event needs event.")
    kind = KINDS.get(name, "track")
    properties = an_object(item, "properties")
    outer = {key: value for key, value in item.items() if key not in {"properties", "api_key", *_SAID}}
    about_person = {"$set": "traits"} if kind == "identify" else {}
    message = placed(NAME, outer, {**PLACES, **about_person})
    message |= {"event": name} if kind == "track" else {}
    inner = placed(
        "", {k: v for k, v in properties.items() if k not in _SAID}, PROPERTY_PLACES | about_person
    )
    _merge(message, inner)
    _name_people(message, kind, item, properties)
    message_id = text(item, "uuid", _LONGEST_ID) or _text(properties.get("$insert_id"))[:_LONGEST_ID]
    message.pop("messageId", None)
    speak_for_browser(message["context"], hit)
    original, at = _times(item, properties, hit, sent)
    message_id = message_id or (digest(item) if original is not None else "")
    return finished(index, kind, message, hit, message_id=message_id, original=original, sent=at)


def _merge(message: dict[str, Any], inner: dict[str, Any]) -> None:
    """Add what the properties of an item give: PostHog's own that have no place stay its own."""
    context = inner.pop("context")
    rest = context.pop("", {})
    own = {key: value for key, value in rest.items() if key.startswith("$")}
    other = {key: value for key, value in rest.items() if not key.startswith("$")}
    held = message["context"].get(NAME, {})
    if ids := {**held.get(IDS, {}), **context.pop(NAME, {}).get(IDS, {})}:
        held = {**held, IDS: ids}
    held |= {"properties": own} if own else {}
    message["context"] |= context
    message |= inner
    if other:
        message["properties"] = other
    if held:
        message["context"][NAME] = held
    page = message["context"].get("page", {})
    if page.get("referrer") == "$direct":  # PostHog's word for none
        held.setdefault("properties", {})["$referrer"] = page.pop("referrer")
        message["context"][NAME] = held


def _name_people(
    message: dict[str, Any], kind: str, item: Mapping[str, Any], properties: Mapping[str, Any]
) -> None:
    """Say who it is about: known people by userId, the others by anonymousId."""
    who = text(item, "distinct_id") or text(properties, "distinct_id")
    before = text(properties, "$anon_distinct_id") or text(properties, "$device_id")
    if kind == "alias":
        message["previousId"], message["userId"] = who, text(properties, "alias")
        if not (message["previousId"] and message["userId"]):
            raise Refusal(Reason.MISSING_FIELD, "An alias needs distinct_id and alias.")
        return
    if kind == "group" and "groupId" not in message:
        raise Refusal(Reason.MISSING_FIELD, "A group needs $group_key.")
    known = kind == "identify" or properties.get("$is_identified") is True
    ids = {"userId": who, "anonymousId": before} if known else {"anonymousId": who}
    message |= {key: value for key, value in ids.items() if value}


def _times(
    item: Mapping[str, Any], properties: Mapping[str, Any], hit: Hit, sent: int | None
) -> tuple[int | None, int | None]:
    """Return when it happened and when it was sent; older browsers say how long ago, in ``offset``."""
    ago = item.get("offset")
    if isinstance(ago, int | float) and not isinstance(ago, bool) and ago >= 0:
        return to_ms(hit.received_at - ago), hit.received_at
    stamp = to_ms(item.get("timestamp"))
    return (seconds_to_ms(properties.get("$time")) if stamp is None else stamp), sent


def _accepted(sent: Sent, outcomes: Sequence[Outcome]) -> Answer:
    if sent.more is None:
        return json_body(200, {"status": 1})
    results = {
        uuid: {"result": "drop", "details": outcome.refusal.message} if outcome.refusal else {"result": "ok"}
        for uuid, outcome in zip(sent.more, outcomes, strict=False)
    }
    return json_body(200, {"results": results})


POSTHOG = Dialect(NAME, _read, _accepted)
