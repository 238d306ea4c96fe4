"""What the dialects of other systems are made of: a request, what it sent, and fields put in their places."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from collector.exchange import GIF, PIXEL_HEADERS, Answer
from collector.model import Event, Hit, Reason, Refusal
from collector.protocols.batch import Batch, Limits, Protocol, understand_each
from collector.protocols.clock import corrected, to_iso
from collector.protocols.decode import check_depth, parse_forgiving
from collector.protocols.ids import new_id
from collector.protocols.their_limits import NONE, TheirLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from collector.model import Outcome

# A site id is written with its dialect: one installation's site 1 is not the other's.
NAMES = ("plausible", "umami", "posthog", "matomo", "snowplow", "ga4", "amplitude", "mixpanel")
# What browsers themselves and the web-vitals package send, to the source in the path; there are no ids in it.
IN_PATH = ("reports", "vitals")
# The parts of a context that hold what came in a dialect and has no place in an event; it may name anybody.
OWN_PARTS = frozenset((*NAMES, "segment", "tracardi"))
# Where a dialect's own ids of people are kept, which leave when the source's privacy says so.
IDS = "ids"
MOST_ITEMS = 10_000  # of a body that are looked at before its source is known, whose limit may be less
_LONGEST_TEXT = 8192
_MOST_FIELDS = 1000
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_OWN_DEPTH = 4  # of our places around what a client nested


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a dialect sees it: its body inflated, its query still encoded."""

    body: bytes
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    path: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a call holds: the ids that its source may be found by, and how its events are understood.

    ``secrets`` must not be remembered; ``anonymous`` is the client's wish to be nobody; ``more`` is what
    the answer needs to know; ``tells_each`` has it name each event even when all are refused.
    """

    sites: tuple[str, ...]
    protocol: Protocol
    secrets: tuple[str, ...] = ()
    anonymous: bool = False
    more: Any = None
    tells_each: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """A dialect: ``read`` a call (raises Refusal), answer as ``accepted`` what is safe.

    ``refused`` answers what is not, where the reason's own answer would be wrong for clients.
    """

    name: str
    read: Callable[[Call], Sent]
    accepted: Callable[[Sent, Sequence[Outcome]], Answer]
    refused: Callable[[Call, Refusal], Answer | None] = lambda _call, _refusal: None


def json_body(status: int, body: Any) -> Answer:
    """Return an answer in JSON that no cache keeps."""
    return Answer(
        status, {"Cache-Control": "no-store", "Content-Type": "application/json"}, orjson.dumps(body)
    )


def in_turn(
    name: str,
    items: Sequence[Any],
    one: Callable[[int, dict[str, Any], Hit], Event],
    flags: tuple[str, ...],
    theirs: TheirLimits = NONE,
) -> Protocol:
    """Return the protocol that makes one event of each item, which must be an object, within its limits."""

    def understand(hit: Hit, limits: Limits) -> Batch:
        most = min(limits.events, theirs.events or limits.events)
        if len(items) > most:
            raise Refusal(Reason.TOO_MANY_EVENTS, f"The limit is {most}.")

        def checked(index: int, item: Any) -> Event:
            if not isinstance(item, dict):
                raise Refusal(Reason.NOT_AN_OBJECT, "An event must be an object.")
            check_depth(item, limits.depth)
            event = one(index, item, hit)
            if theirs is not NONE:
                theirs.hold(event)
            check_depth(event.message, limits.depth + _OWN_DEPTH)  # texts in it may have been JSON
            return event

        return understand_each(Batch(name, flags=flags), list(items), checked)

    return understand


def first_found(items: Sequence[Any], find: Callable[[dict[str, Any]], list[str]]) -> list[str]:
    """Return what the first item that tells anything tells: bad ones before it do no harm."""
    seen = items[:MOST_ITEMS]
    return next((found for item in seen if isinstance(item, dict) and (found := find(item))), [])


def placed(name: str, item: Mapping[str, Any], places: Mapping[str, str]) -> dict[str, Any]:
    """Return a message with the fields of an item in their places, the rest under ``context.{name}``.

    A value that does not fit its place is part of the rest, so that nothing is lost.
    """
    message: dict[str, Any] = {"context": {}}
    rest: dict[str, Any] = {}
    for key, value in item.items():
        path = places.get(key, "")
        if path and _fits(path, value):
            put(message, path, value)
        else:
            rest[key] = value
    if rest:
        message["context"][name] = {**message["context"].get(name, {}), **rest}
    return message


def put(message: dict[str, Any], path: str, value: Any) -> None:
    """Set a field by its dotted path."""
    *parents, last = path.split(".")
    place = message
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value


def _fits(path: str, value: Any) -> bool:
    if path.startswith(("properties.", "traits.")) or f".{IDS}." in path:
        return True
    if path in {"properties", "traits", "context.traits"}:
        return isinstance(value, dict)
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT


def finished(
    index: int,
    kind: str,
    message: dict[str, Any],
    hit: Hit,
    *,
    message_id: str | None = None,
    original: int | None = None,
    sent: int | None = None,
) -> Event:
    """Return the event of a message: its id, type and times, by our clock. Times are milliseconds."""
    message_id = message_id or new_id(hit, index)
    times = {"originalTimestamp": original, "sentAt": sent}
    message = {
        "messageId": message_id,
        "type": kind,
        **message,
        **{key: to_iso(time) for key, time in times.items() if time is not None},
        "timestamp": to_iso(corrected(hit.received_at, sent, original)),
        "receivedAt": to_iso(hit.received_at),
    }
    return Event(index, message_id, kind, message.get("anonymousId") or message.get("userId") or "", message)


def parameters(query: str) -> dict[str, Any]:
    """Return the parameters of a query or a form; of several with one name the last counts.

    Raises Refusal bad_request when there are too many.
    """
    try:
        return dict(
            parse_qsl(query.strip(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="replace")
        )
    except ValueError:
        raise Refusal(Reason.BAD_REQUEST, f"A form may have {_MOST_FIELDS} fields.") from None


def with_numbers(item: Mapping[str, Any], keys: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an item with numbers for its texts of numbers, and those texts that say more than that."""
    read, beside = dict(item), {}
    for key in keys:
        value = item.get(key)
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            read[key] = float(value) if "." in value else int(value)
            if str(read[key]) != value:
                beside[key] = value
    return read, beside


def inner_json(item: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """Return the values of fields whose texts are JSON objects or lists; other texts stay texts."""
    found: dict[str, Any] = {}
    for key in keys:
        value = item.get(key)
        if isinstance(value, str) and value[:1] in {"{", "["}:
            with contextlib.suppress(Refusal):
                found[key] = parse_forgiving(value.encode(errors="replace"))[0]
    return found


def picture_refusal(call: Call, refusal: Refusal) -> Answer | None:
    """Answer who asked for a picture with one and the status; overload as others, to be asked again."""
    if call.method != "GET" or refusal.retry_after is not None:
        return None
    return Answer(refusal.reason.status, PIXEL_HEADERS, GIF)


def readable(header: str) -> str:
    """Return a header's text without the halves of characters that raw Latin-1 leaves in it."""
    return header.encode(errors="replace").decode()
