"""What browsers report of pages: violations of their policies, deprecations, crashes, failing networks.

One report as ``report-uri`` of a Content Security Policy sends it, or a list of the Reporting API's
(https://w3c.github.io/reporting/, https://www.w3.org/TR/network-error-logging/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.exchange import Answer
from collector.model import Reason, Refusal
from collector.protocols.batch import an_object, text
from collector.protocols.clock import to_ms
from collector.protocols.dialect import Call, Dialect, Sent, finished, in_turn, placed
from collector.protocols.payload import read_payload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collector.model import Event, Hit, Outcome

NAME = "reports"
VIOLATION, NETWORK_ERROR = "csp-violation", "network-error"
PLACES = {"type": "event", "url": "context.page.url", "user_agent": "context.userAgent"}
# The names of report-uri, and those of the Reporting API for the same.
NAMES_OF_LEGACY = {
    "document-uri": "documentURL",
    "blocked-uri": "blockedURL",
    "effective-directive": "effectiveDirective",
    "violated-directive": "violatedDirective",
    "original-policy": "originalPolicy",
    "line-number": "lineNumber",
    "column-number": "columnNumber",
    "source-file": "sourceFile",
    "status-code": "statusCode",
    "script-sample": "sample",
}
_LEGACY = "csp-report"


def _read(call: Call) -> Sent:
    payload = read_payload(call.body, call.headers.get("Content-Type", ""))
    value = payload.value
    if isinstance(value, dict) and _LEGACY in value:
        items: Any = [_of_legacy(an_object(value, _LEGACY))]
    else:
        items = [value] if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise Refusal(Reason.NOT_A_LIST, "The body must be a list of reports, or a csp-report.")
    protocol = in_turn(NAME, items, _event, payload.flags)
    return Sent((site_in_path(call),), protocol, anonymous=True)


def site_in_path(call: Call) -> str:
    """Return the source that a path ends with."""
    return call.path.rstrip("/").rpartition("/")[2]


def _of_legacy(report: Mapping[str, Any]) -> dict[str, Any]:
    body = {NAMES_OF_LEGACY.get(key, key): value for key, value in report.items()}
    return {"type": VIOLATION, "url": body.get("documentURL"), "body": body}


def _event(index: int, item: dict[str, Any], hit: Hit) -> Event:
    name = text(item, "type")
    if name is None:
        raise Refusal(Reason.MISSING_FIELD, "A report needs type.")
    message = placed(NAME, {key: value for key, value in item.items() if key not in {"age", "body"}}, PLACES)
    own = {"age": item["age"]} if "age" in item else {"by": "report-uri"}
    message["context"][NAME] = {**message["context"].get(NAME, {}), **own}
    body = dict(an_object(item, "body"))
    if name == NETWORK_ERROR:
        _tell_request(message["context"], body)
    message |= {"event": name, **({"properties": body} if body else {})}
    original = _happened(item.get("age"), hit)
    return finished(index, "track", message, hit, original=original, sent=hit.received_at)


def _tell_request(context: dict[str, Any], body: dict[str, Any]) -> None:
    """Tell what was asked for in vain as a property: the page is the one that asked, if any did."""
    failed = context.pop("page", {}).get("url")
    body |= {"url": failed} if failed else {}
    asked = body.get("referrer")
    if isinstance(asked, str) and asked:
        context["page"] = {"url": asked}


def _happened(age: Any, hit: Hit) -> int | None:
    """Return when it happened: browsers wait, and say for how many milliseconds."""
    if isinstance(age, int | float) and not isinstance(age, bool) and age >= 0:
        return to_ms(hit.received_at - age)
    return None


def _accepted(_sent: Sent, _outcomes: Sequence[Outcome]) -> Answer:
    return Answer(204, {"Cache-Control": "no-store"})


REPORTS = Dialect(NAME, _read, _accepted)
