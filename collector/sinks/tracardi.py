"""Events to a Tracardi: the events of one visit in a call of ``/track``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr  # noqa: TC002 - the option is converted to it

from collector.protocols.decode import to_json
from collector.sinks import Limits
from collector.sinks.address import read_address, tls_context
from collector.sinks.calls import Calls, Receiver
from collector.sinks.messages import readable, visitor_of, without_tombstones

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collector.sinks import Delivery

_TRY_SECONDS = 30
_AT_ONCE = 8
_HEADERS = {"Content-Type": "application/json"}
# What a visit and an event of Tracardi have places for; the rest goes into the event's context.
_PLACED = {"messageId", "type", "event", "properties", "anonymousId", "sessionId", "timestamp", "context"}


def tracardi(
    to: str,
    *,
    source: SecretStr,
    ca: str = "",
    events: int = 100,
    size: int = 1024**2,
    seconds: float = 1,
) -> TracardiSink:
    """Make a sink of an address such as https://tracardi.example/track. Raises SinkError.

    ``source`` is the id of a source there, which is its key.
    """
    parts = read_address(to, ("https", "http"))
    calls = Calls(_TRY_SECONDS, tls=tls_context(ca) if parts.scheme == "https" else None)
    return TracardiSink(to, source.get_secret_value(), calls, Limits(events, size, seconds))


class TracardiSink:
    """Sends visits, several at once; ids of events are kept, so the receiver knows what it has."""

    def __init__(self, url: str, source: str, calls: Calls, limits: Limits) -> None:
        self.limits = limits
        self._url = url
        self._source = source
        self._calls = calls
        self._receiver = Receiver(calls, "it does not know the source.")
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def healthy(self) -> None:
        """Take it that it is: only events can tell."""

    async def write(self, batch: Sequence[Delivery]) -> None:
        """Send the visits of a batch, all of them even if one is not taken."""
        visits = _visits(readable(each) for each in without_tombstones(batch))
        sent = await asyncio.gather(
            *(self._send(*visit, events) for visit, events in visits.items()), return_exceptions=True
        )
        for failed in (each for each in sent if each):
            raise failed

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()

    async def _send(self, visitor: str, session: str, events: list[dict[str, Any]]) -> None:
        body = {
            "source": {"id": self._source},
            "session": {"id": session} if session else None,
            "profile": {"id": visitor},
            "events": [_event(each) for each in events],
        }
        async with self._places:
            await self._receiver.send(self._url, to_json(body), _HEADERS)


def _visits(events: Iterable[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    visits: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in events:
        visits.setdefault((visitor_of(each), str(each.get("sessionId") or "")), []).append(each)
    return visits


def _event(event: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in event.items() if key not in _PLACED}
    context = event.get("context") or {}
    page = context.get("page") or {}
    if page.get("referrer"):
        page = {**page, "referer": {"host": page["referrer"]}}
    return {
        "id": event.get("messageId"),
        "type": _type(event),
        "time": {"create": event.get("timestamp")},
        "properties": event.get("properties") or event.get("traits") or {},
        "context": {**context, "page": page, "headwater": rest},
    }


def _type(event: dict[str, Any]) -> str:
    """Return the event's name; a page view has Tracardi's."""
    kind = str(event.get("type"))
    if kind == "track":
        return str(event.get("event"))
    return "page-view" if kind == "page" else kind
