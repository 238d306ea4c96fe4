"""What Google's validation server says of a request of the Measurement Protocol.

Source: https://developers.google.com/analytics/devguides/collection/protocol/ga4/sending-events and the
reference beside it; what is not in LIMITS is told when asked for, and else taken as it comes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from collector.protocols.their_limits import Fields, TheirLimits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PARAMS, _TRAITS = Fields(most=25, key=40, value=100), Fields(most=25, key=24, value=36)
PAGE_LIMITS = TheirLimits(longest_name=40, properties=_PARAMS, traits=_TRAITS)
LIMITS = replace(PAGE_LIMITS, body_bytes=130_000, events=25)
_NAME = re.compile("[A-Za-z][A-Za-z0-9_]{0,39}")
_LONG_BY_NATURE = ("page_location", "page_referrer", "page_title")  # these may be longer, as the pages are
_RESERVED = frozenset(
    [
        "ad_activeview",
        "ad_click",
        "ad_exposure",
        "ad_query",
        "ad_reward",
        "adunit_exposure",
        "app_clear_data",
        "app_exception",
        "app_install",
        "app_remove",
        "app_store_refund",
        "app_update",
        "app_upgrade",
        "dynamic_link_app_open",
        "dynamic_link_app_update",
        "dynamic_link_first_open",
        "error",
        "firebase_campaign",
        "first_open",
        "first_visit",
        "in_app_purchase",
        "notification_dismiss",
        "notification_foreground",
        "notification_open",
        "notification_receive",
        "notification_send",
        "os_update",
        "session_start",
        "user_engagement",
    ]
)


def judged(envelope: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what is wrong with a request, in the shape of the validation server."""
    return [message_of(*told) for told in _wrong(envelope)]


def message_of(path: str, description: str, code: str) -> dict[str, str]:
    """Return a message of the validation server."""
    return {"fieldPath": path, "description": description, "validationCode": code}


def _wrong(envelope: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    if not any(envelope.get(key) for key in ("client_id", "app_instance_id")):
        yield "client_id", "client_id or app_instance_id is required.", "VALUE_REQUIRED"
    events = envelope.get("events")
    events = [events] if isinstance(events, dict) else events
    if not isinstance(events, list) or not events:
        yield "events", "events must be a list with one event at least.", "VALUE_REQUIRED"
        return
    if len(events) > LIMITS.events:
        yield "events", f"A request may have {LIMITS.events} events.", "EXCEEDED_MAX_ENTITIES"
    for index, event in enumerate(events[: LIMITS.events]):
        yield from _wrong_with(f"events[{index}]", event)


def _wrong_with(path: str, event: Any) -> Iterator[tuple[str, str, str]]:
    if not isinstance(event, dict):
        yield path, "An event must be an object.", "VALUE_INVALID"
        return
    name, params = event.get("name"), event.get("params", {})
    if not name:
        yield f"{path}.name", "An event needs name.", "VALUE_REQUIRED"
    elif not isinstance(name, str) or not _NAME.fullmatch(name):
        yield f"{path}.name", "A name is 40 letters, digits and _ at most, a letter first.", "NAME_INVALID"
    elif name in _RESERVED:
        yield f"{path}.name", "The name is one of those that Google keeps for itself.", "NAME_RESERVED"
    if not isinstance(params, dict):
        yield f"{path}.params", "params must be an object.", "VALUE_INVALID"
        return
    if len(params) > _PARAMS.most:
        yield f"{path}.params", f"An event may have {_PARAMS.most} parameters.", "EXCEEDED_MAX_ENTITIES"
    yield from _wrong_params(f"{path}.params", params)


def _wrong_params(path: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for number, (key, value) in enumerate(params.items()):
        if number == _PARAMS.most:
            return
        if not _NAME.fullmatch(key):
            yield path, "A parameter's name is 40 letters, digits and _ at most.", "NAME_INVALID"
        elif isinstance(value, str) and len(value) > _PARAMS.value and key not in _LONG_BY_NATURE:
            yield f"{path}.{key}", f"A value may have {_PARAMS.value} characters.", "VALUE_OUT_OF_BOUNDS"
