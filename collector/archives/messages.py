"""Archives of JSON: events of our own, of Segment and RudderStack, and bodies of the other dialects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from collector.archives.item import Format, Item, moment
from collector.protocols import native
from collector.protocols.decode import parse_forgiving
from collector.protocols.dialect import Call
from collector.protocols.dialects import DIALECTS
from collector.protocols.payload import Payload
from collector.protocols.segment import segment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    def read(raw: bytes, _site: str) -> Item:
        if raw[:1] not in b"{[":  # a query or a form, as Matomo's and Google's
            return Item(DIALECTS[name].read(Call(b"", raw.decode(errors="replace"), method="GET")).protocol)
        item, _ = parse_forgiving(raw)
        body = _opened(item, raw) if name == "posthog" else _enveloped(name, item, raw)
        return _placed(item, DIALECTS[name].read(Call(body, headers=_JSON)).protocol)

    return read


def _opened(item: Any, raw: bytes) -> bytes:
    """Return an event of PostHog, whose exports write its properties as a text of JSON."""
    held = item.get("properties") if isinstance(item, dict) else None
    if not isinstance(held, str):
        return raw
    return orjson.dumps({**item, "properties": parse_forgiving(held.encode(errors="replace"))[0]})


def _enveloped(name: str, item: Any, raw: bytes) -> bytes:
    """Return a body of Snowplow, of which archives keep single payloads."""
    if name == "snowplow" and isinstance(item, dict) and "data" not in item:
        return orjson.dumps({"data": [item]})
    return raw


def _placed(item: Any, protocol: Any) -> Item:
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


FORMATS = {
    "native": Format("Events as our stream has them, and as the sink ndjson writes them", "values", _native),
    "segment": Format("Messages of Segment and RudderStack, as they store them", "values", _segment),
    **{
        name: Format(f"Bodies or single events as {name}'s clients send them", "values", _dialect(name))
        for name in DIALECTS
    },
}
