"""Beacons of the ``web-vitals`` package: a metric, or a list of them, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.exchange import Answer
from collector.model import Reason, Refusal
from collector.protocols.batch import text
from collector.protocols.dialect import Call, Dialect, Sent, finished, in_turn, placed
from collector.protocols.ids import digest
from collector.protocols.payload import read_payload
from collector.protocols.reports import site_in_path
from collector.protocols.segment import speak_for_browser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.model import Event, Hit, Outcome

NAME = "vitals"
EVENT = "Web Vitals"  # as the tracker's own feature names it
PLACES = {
    **{key: f"properties.{key}" for key in ("id", "delta", "rating", "navigationType")},
    **dict.fromkeys(("url", "navigationURL"), "context.page.url"),
}


def _read(call: Call) -> Sent:
    payload = read_payload(call.body, call.headers.get("Content-Type", ""))
    items = payload.value if isinstance(payload.value, list) else [payload.value]
    return Sent((site_in_path(call),), in_turn(NAME, items, _event, payload.flags))


def _event(index: int, item: dict[str, Any], hit: Hit) -> Event:
    """Return the event of a metric: its value stands under its name in small letters, as in the tracker's."""
    name, value = text(item, "name", 40), item.get("value")
    if name is None or isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(Reason.MISSING_FIELD, "A metric needs name and a number as its value.")
    message = placed(NAME, {key: each for key, each in item.items() if key not in {"name", "value"}}, PLACES)
    message["event"] = EVENT
    message["properties"] = {name.lower(): value, **message.get("properties", {})}
    context = message["context"]
    if "page" not in context and hit.headers.get("Referer"):
        context["page"] = {"url": hit.headers["Referer"]}
    speak_for_browser(context, hit)
    message_id = digest(item) if text(item, "id", 200) else None
    return finished(index, "track", message, hit, message_id=message_id)


def _accepted(_sent: Sent, _outcomes: Sequence[Outcome]) -> Answer:
    return Answer(204, {"Cache-Control": "no-store"})


VITALS = Dialect(NAME, _read, _accepted)
