"""Plausible's events API: one event a request, with short or long names for the same fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.exchange import Answer
from collector.model import Reason, Refusal
from collector.protocols.batch import text
from collector.protocols.dialect import Call, Dialect, Sent, finished, in_turn, inner_json, placed, readable
from collector.protocols.payload import read_payload
from collector.protocols.their_limits import Fields, TheirLimits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.model import Event, Hit, Outcome

NAME = "plausible"
# https://github.com/plausible/analytics/blob/master/lib/plausible/ingestion/request.ex
LIMITS = TheirLimits(
    longest_name=120, longest_url=2000, properties=Fields(most=30, key=300, value=2000, strict=True)
)
_PROPERTIES = ("p", "props", "m", "meta")
PLACES = {
    **dict.fromkeys(("u", "url"), "context.page.url"),
    **dict.fromkeys(("r", "referrer"), "context.page.referrer"),
    **dict.fromkeys(("n", "name"), "event"),
    **dict.fromkeys(_PROPERTIES, "properties"),
}


def _read(call: Call) -> Sent:
    payload = read_payload(call.body, call.headers.get("Content-Type", ""))
    item = payload.value
    if not isinstance(item, dict):
        raise Refusal(Reason.NOT_AN_OBJECT, "The body must be an object with name, url and domain.")
    domains = text(item, "d", 2000) or text(item, "domain", 2000) or ""
    # One request may count for several sites, as Plausible's data-domain; here the first known one counts.
    sites = tuple(site for part in domains.split(",")[:10] if (site := part.strip()))
    return Sent(sites, in_turn(NAME, [item], _event, payload.flags, LIMITS))


def _event(index: int, item: dict[str, Any], hit: Hit) -> Event:
    name = text(item, "n") or text(item, "name")
    if name is None:
        raise Refusal(Reason.MISSING_FIELD, "An event needs name.")
    message = placed(NAME, {**item, **inner_json(item, _PROPERTIES)}, PLACES)  # older scripts write a text
    kind = "page" if name == "pageview" else "track"
    message["name" if kind == "page" else "event"] = name
    if kind == "page":
        message.pop("event", None)
    if hit.source.bridge == "rest":  # the headers are the visitor's, as Plausible asks of servers
        forwarded = hit.headers.get("X-Forwarded-For", "").split(",")[0].strip()
        message["context"]["userAgent"] = readable(hit.headers.get("User-Agent", ""))
        message["context"]["ip"] = forwarded or hit.address
    return finished(index, kind, message, hit)


def _accepted(_sent: Sent, outcomes: Sequence[Outcome]) -> Answer:
    dropped = all(outcome.verdict == "dropped" for outcome in outcomes)
    headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
    return Answer(202, headers | ({"X-Plausible-Dropped": "1"} if dropped else {}), b"ok")


PLAUSIBLE = Dialect(NAME, _read, _accepted)
