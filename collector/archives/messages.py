"""Archives of JSON: events of our own, of Segment and RudderStack, and bodies of the other dialects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.archives.item import Format, Item, moment
from collector.protocols import native
from collector.protocols.decode import parse_forgiving, to_json
from collector.protocols.dialect import NAMES, Call
from collector.protocols.dialects import DIALECTS
from collector.protocols.payload import Payload
from collector.protocols.segment import segment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from collector.protocols import Protocol

# Where the dialects say when an event was received, sent or made: the first that is there counts.
_TIMES = (
    *("receivedAt", "received_at", "server_received_time", "sentAt", "sent_at", "timestamp"),
    *("originalTimestamp", "stm", "ttm", "dtm", "cdt", "event_time", "time", "timestamp_micros"),
)
_WITHIN = ("payload", "properties", "data")  # and what these hold
_JSON = {"Content-Type": "application/json"}


def _native(raw: bytes, _site: str) -> Item:
    item, _ = parse_forgiving(raw)
    return _placed(item, native.archived(item))


def _segment(raw: bytes, _site: str) -> Item:
    item, flags = parse_forgiving(raw)
    return _placed(item, segment(Payload("json", item, flags), ""))


def _dialect(name: str) -> Callable[[bytes, str], Item]:
    read = DIALECTS[name].read
    whole = _WHOLE.get(name)
    path = _PATHS.get(name, "")

    def body(raw: bytes, _site: str) -> Item:
        if raw[:1] not in b"{[":  # a query, as Matomo's and Google's
            return Item(read(Call(b"", raw.decode(errors="replace"), method="GET", path=path)).protocol)
        item, _ = parse_forgiving(raw)
        given = whole(item) if whole and isinstance(item, dict) else item
        return _placed(item, read(Call(to_json(given), headers=_JSON, path=_IMPORTED.get(name, ""))).protocol)

    return body


def _posthog(item: dict[str, Any]) -> dict[str, Any]:
    """Return an event of PostHog, whose exports write its properties as a text of JSON."""
    held = item.get("properties")
    if isinstance(held, str):
        return {**item, "properties": parse_forgiving(held.encode(errors="replace"))[0]}
    return item


def _snowplow(item: dict[str, Any]) -> dict[str, Any]:
    """Return the body that a single payload came in."""
    return item if "data" in item else {"data": [item]}


def _amplitude(item: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a single event; exports have time and id under other names than uploads."""
    if "events" in item:
        return item
    known = {"time": moment(item.get("event_time")), "insert_id": item.get("$insert_id") or item.get("uuid")}
    event = {**{key: value for key, value in known.items() if value}, **item}
    return {"events": [event], "options": {"min_id_length": 1}}


def _placed(item: Any, protocol: Protocol) -> Item:
    """Return an item at its time, from the address and with the user agent that it names."""
    if not isinstance(item, dict):
        return Item(protocol)
    context = item.get("context")
    context = context if isinstance(context, dict) else {}
    agent, address = context.get("userAgent"), context.get("ip") or item.get("request_ip")
    headers = {"User-Agent": agent} if isinstance(agent, str) else {}
    return Item(protocol, _time(item), headers, address if isinstance(address, str) else None)


def _time(item: Mapping[str, Any]) -> int | None:
    inner = (held for key in _WITHIN if isinstance(held := item.get(key), dict))
    for each in (item, *inner):
        for key in _TIMES:
            if key in each and (at := moment(each[key])) is not None:
                return at
    return None


# Bodies made of what archives keep, and the paths that tell the dialects how to read them.
_WHOLE: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "posthog": _posthog,
    "snowplow": _snowplow,
    "amplitude": _amplitude,
}
_PATHS = {"ga4": "/g/collect"}
_IMPORTED = {"mixpanel": "/import"}

FORMATS = {
    "native": Format("Events as our stream has them, and as the sink ndjson writes them", "values", _native),
    "segment": Format("Messages of Segment and RudderStack, as they store them", "values", _segment),
    **{
        name: Format(f"Bodies or single events as {name}'s clients send them", "values", _dialect(name))
        for name in NAMES
    },
}
