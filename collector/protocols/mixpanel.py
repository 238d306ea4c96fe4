"""Mixpanel's ingestion APIs: events, and what is set for people and groups, in forms or as JSON."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from collector.model import Reason, Refusal
from collector.protocols.batch import an_object, text
from collector.protocols.clock import seconds_to_ms, to_ms
from collector.protocols.decode import parse_forgiving
from collector.protocols.dialect import (
    IDS,
    MOST_ITEMS,
    Call,
    Dialect,
    Sent,
    finished,
    in_turn,
    placed,
)
from collector.protocols.ids import digest
from collector.protocols.mixpanel_answers import accepted, asked, refused
from collector.protocols.packed import Packed, sent_at, unpacked
from collector.protocols.payload import read_query
from collector.protocols.segment import speak_for_browser
from collector.protocols.their_limits import Fields, TheirLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.model import Event, Hit

NAME = "mixpanel"
IMPORT_PATH, PEOPLE_PATH, GROUPS_PATH = "/import", "/engage", "/groups"
KINDS = {"$mp_web_page_view": "page", "$identify": "identify", "$create_alias": "alias"}
# https://docs.mixpanel.com/reference/import-events and …/track-event
_FIELDS = Fields(most=255, key=255, value=255)
LIMITS = TheirLimits(
    body_bytes=10_000_000, events=2000, longest_name=255, properties=_FIELDS, traits=_FIELDS, longest_id=255
)
PLACES = {
    "$current_url": "context.page.url",
    "current_page_title": "context.page.title",
    "$referrer": "context.page.referrer",
    "mp_lib": "context.library.name",
    "$lib_version": "context.library.version",
    "ip": "context.ip",
    **{
        name: f"context.{NAME}.{IDS}.{name}"
        for name in ("distinct_id", "$device_id", "$user_id", "$anon_distinct_id", "$distinct_ids")
    },
}
# What is said of people and groups: the operation that sets becomes traits.
PROFILE_PLACES = {
    "$set": "traits",
    "$ip": "context.ip",
    **{name: f"context.{NAME}.{IDS}.{name}" for name in ("$distinct_id", "$device_id", "$user_id")},
}
_APART = {"token", "time", "$insert_id"}
_OURS = ("$", "mp_")  # how Mixpanel begins the names of what its clients add
_DEVICE = "$device:"
_LONGEST_ID = 200
_FIRST_IN_MS = 100_000_000_000  # as seconds this would be the year 5138; as milliseconds it is 1973
_DIRECT = "$direct"  # Mixpanel's word for no referrer


def looks_like(body: bytes, content_type: str) -> bool:
    """Tell whether the body of ``/track``, which Tracardi has too, is Mixpanel's: a form, list or event."""
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"{":
        return b'"event"' in body and not (b'"events"' in body and b'"source"' in body)
    return start == b"[" or b"data=" in body[:4096] or "urlencoded" in content_type.lower()


def _read(call: Call) -> Sent:
    LIMITS.admit_body(call.body)
    packed = _unpacked(call)
    items = packed.value if isinstance(packed.value, list) else [packed.value]
    user, secret = _login(call.headers.get("Authorization", ""))
    site = next((found for item in items[:MOST_ITEMS] if (found := _token(item))), "")
    profiles = _ends(call, PEOPLE_PATH) or _ends(call, GROUPS_PATH)
    sent = sent_at(packed.fields)

    def one(index: int, item: dict[str, Any], hit: Hit) -> Event:
        if (_token(item) or site) != site:
            raise Refusal(Reason.UNKNOWN_SOURCE, "A request is for one project.")
        return _profile(index, item, hit, sent) if profiles else _event(index, item, hit, packed, sent)

    named = [site, user, _text(packed.fields.get("project_id")), _text(packed.fields.get("api_key"))]
    return Sent(
        tuple(dict.fromkeys(filter(None, named))),
        in_turn(NAME, items, one, packed.flags, LIMITS),
        secrets=tuple(filter(None, (secret, named[-1]))),
        more=(asked(packed.fields, is_import=_ends(call, IMPORT_PATH)), [_insert_id(item) for item in items]),
        tells_each=True,
    )


def _unpacked(call: Call) -> Packed:
    """Return the JSON of a call; an import may have one event a line."""
    lines = call.body.strip().splitlines()
    if not _ends(call, IMPORT_PATH) or len(lines) < 2 or not lines[0].startswith(b"{"):  # noqa: PLR2004
        return unpacked(call)
    values = [parse_forgiving(line) for line in lines if line.strip()]
    flags = tuple({flag: None for _, found in values for flag in found})
    return Packed([value for value, _ in values], flags, read_query(call.query))


def _ends(call: Call, path: str) -> bool:
    return call.path.rstrip("/").endswith(path)


def _login(header: str) -> tuple[str, str]:
    """Return user and password of basic authentication: a token, or a service account."""
    scheme, _, packed = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(packed).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", ""
    return user, password


def _token(item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    properties = item.get("properties")
    inside = properties.get("token") if isinstance(properties, dict) else None
    return _text(inside) or _text(item.get("$token"))


def _insert_id(item: Any) -> str:
    properties = item.get("properties") if isinstance(item, dict) else None
    return _text(properties.get("$insert_id")) if isinstance(properties, dict) else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _event(index: int, item: dict[str, Any], hit: Hit, packed: Packed, sent: int | None) -> Event:
    name = text(item, "event")
    if name is None:
        raise Refusal(Reason.MISSING_FIELD, "An event needs event.")
    properties = an_object(item, "properties")
    kind = KINDS.get(name, "alias" if name == "$merge" else "track")
    message = placed("", {k: v for k, v in properties.items() if k not in _APART}, PLACES)
    message |= {"event": name} if kind == "track" else {}
    beside = {key: value for key, value in item.items() if key not in {"event", "properties"}}
    _set_apart(message, beside, properties)
    _name_people(message, kind, properties)
    if packed.fields.get("ip") == "1":
        message["context"].setdefault("ip", hit.address)
    speak_for_browser(message["context"], hit)
    original = _time(properties.get("time"))
    message_id = text(properties, "$insert_id", _LONGEST_ID) or (
        digest(item) if original is not None else None
    )
    return finished(index, kind, message, hit, message_id=message_id, original=original, sent=sent)


def _set_apart(message: dict[str, Any], beside: dict[str, Any], properties: Mapping[str, Any]) -> None:
    """Keep what Mixpanel's clients add as Mixpanel's, and what the site says as properties."""
    context = message["context"]
    rest = context.pop("", {})
    own = {key: value for key, value in rest.items() if key.startswith(_OURS)}
    other = {key: value for key, value in rest.items() if key not in own}
    if context.get("page", {}).get("referrer") == _DIRECT:
        own["$referrer"] = context["page"].pop("referrer")
    said = properties.get("time")
    told = _time(said)
    if said is not None and (told is None or said not in (told, told / 1000)):  # more than milliseconds
        own["time"] = said
    if other:
        message["properties"] = other
    held = {**context.get(NAME, {}), **beside, **({"properties": own} if own else {})}
    context |= {NAME: held} if held else {}


def _name_people(message: dict[str, Any], kind: str, properties: Mapping[str, Any]) -> None:
    """Say who it was: a device is anonymous; ids that are none of a device's are people's."""
    who, device = text(properties, "distinct_id"), text(properties, "$device_id")
    user = text(properties, "$user_id")
    if kind == "alias":
        message["previousId"], message["userId"] = _both(properties, who)
        return
    if who and not user and not who.startswith(_DEVICE) and who != device:
        user = who
    device = device or (who.removeprefix(_DEVICE) if who and who != user else None)
    message |= {key: value for key, value in (("userId", user), ("anonymousId", device)) if value}


def _both(properties: Mapping[str, Any], who: str | None) -> tuple[str, str]:
    """Return the two ids that are one person. Raises Refusal missing_field."""
    merged = properties.get("$distinct_ids")
    if isinstance(merged, list) and len(merged) == 2 and all(_text(each) for each in merged):  # noqa: PLR2004
        return merged[0], merged[1]
    alias = text(properties, "alias")
    if not who or not alias:
        raise Refusal(Reason.MISSING_FIELD, "An alias needs distinct_id and alias, or two $distinct_ids.")
    return who, alias


def _profile(index: int, item: dict[str, Any], hit: Hit, sent: int | None) -> Event:
    """Return the event of what is set for a person or a group; other operations are kept as they came."""
    group = text(item, "$group_id")
    who = text(item, "$distinct_id")
    if not group and not who:
        raise Refusal(Reason.MISSING_FIELD, "A profile needs $distinct_id or $group_id.")
    message = placed(
        NAME, {k: v for k, v in item.items() if k not in {"$token", "$group_id"}}, PROFILE_PLACES
    )
    if group:
        message["groupId"] = group
    elif who:
        known = not who.startswith(_DEVICE)
        ids = {"userId": who} if known else {"anonymousId": who.removeprefix(_DEVICE)}
        device = text(item, "$device_id") if known else None
        message |= {**ids, "anonymousId": device} if device else ids
    speak_for_browser(message["context"], hit)
    original = _time(item.get("$time"))
    return finished(index, "group" if group else "identify", message, hit, original=original, sent=sent)


def _time(value: Any) -> int | None:
    """Return a time in seconds, in milliseconds or in ISO 8601 as milliseconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= _FIRST_IN_MS:
        return to_ms(value)
    ms = seconds_to_ms(value)
    return to_ms(value) if ms is None and isinstance(value, str) else ms


MIXPANEL = Dialect(NAME, _read, accepted, refused)
