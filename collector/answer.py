"""What the public door answers: refusals with their reason, outcomes per event, cross-origin headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import structlog
from aiohttp import web

from collector.model import Outcome, Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()

NO_STORE = {"Cache-Control": "no-store"}
REASON_HEADER = "X-Headwater-Reason"

_PREFLIGHT_SECONDS = "86400"
_EXPOSED = f"Retry-After, {REASON_HEADER}, X-Headwater-Interval, X-Headwater-Ack"


def json_answer(status: int, body: Any, headers: Mapping[str, str]) -> web.Response:
    """Return a JSON response that no cache keeps."""
    return web.Response(
        status=status,
        body=orjson.dumps(body),
        content_type="application/json",
        headers={**NO_STORE, **headers},
    )


def refusal_answer(
    refusal: Refusal, headers: Mapping[str, str], more: Mapping[str, Any] | None = None
) -> web.Response:
    """Return the answer to a hit that was refused as a whole."""
    reason = refusal.reason
    extra = {REASON_HEADER: reason.code, **headers}
    if refusal.retry_after is not None:
        extra["Retry-After"] = str(refusal.retry_after)
    return json_answer(
        reason.status, {"code": reason.code, "message": refusal.message, **(more or {})}, extra
    )


def outcomes_answer(outcomes: Sequence[Outcome], headers: Mapping[str, str]) -> web.Response:
    """Return 204 when every event is safe; else what became of each, as 200 or, if none is safe, 400."""
    reason = reason_header(outcomes)
    if not reason:
        return web.Response(status=204, headers={**NO_STORE, **headers})
    body: dict[str, Any] = {"events": [_outcome(outcome) for outcome in outcomes]}
    status = 200 if any(outcome.refusal is None for outcome in outcomes) else 400
    if status == Reason.BAD_REQUEST.status:
        body |= {
            "code": Reason.BAD_REQUEST.code,
            "message": "No event of the batch was accepted; each has its reason.",
        }
    return json_answer(status, body, {**reason, **headers})


def accepted_answer(outcomes: Sequence[Outcome], headers: Mapping[str, str]) -> web.Response:
    """Return exactly 200 when any event is safe, naming the refused; else the first one's refusal.

    Clients of the Segment family send again on 202 and 204, and on errors without code and message.
    """
    rows = [_outcome(outcome) for outcome in outcomes if outcome.refusal]
    first = outcomes[0].refusal if outcomes else None
    if first and len(rows) == len(outcomes):
        return refusal_answer(first, {**headers, **reason_header(outcomes)}, {"refused": rows})
    body = {"success": True, "refused": rows} if rows else {"success": True}
    return json_answer(200, body, {**headers, **reason_header(outcomes)})


def reason_header(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Return the header that names every reason among the outcomes, empty when nothing was refused."""
    reasons = sorted({outcome.refusal.reason.code for outcome in outcomes if outcome.refusal})
    return {REASON_HEADER: ", ".join(reasons)} if reasons else {}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {"index": outcome.index, "outcome": outcome.verdict}
    if outcome.id:
        row["messageId"] = outcome.id
    if outcome.entry:
        row["entry"] = outcome.entry
    if outcome.refusal:
        row |= {"reason": outcome.refusal.reason.code, "message": outcome.refusal.message}
    return row


def cross_origin(request: web.Request) -> dict[str, str]:
    """Return the headers that let a page read the answer; also on refusals, so that it stops asking."""
    origin = request.headers.get("Origin")
    if origin is None:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",  # some clients send cookies; none is read here
        "Access-Control-Expose-Headers": _EXPOSED,
        "Vary": "Origin",
    }


def preflight_answer(request: web.Request) -> web.Response:
    """Answer a CORS preflight: reflect what is asked for, since retries of clients add headers."""
    asked = request.headers.get("Access-Control-Request-Headers", "")
    return web.Response(
        status=204,
        headers={
            **NO_STORE,
            **cross_origin(request),
            "Access-Control-Allow-Methods": "POST, GET, HEAD",
            "Access-Control-Allow-Headers": asked or "Content-Type",
            "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
        },
    )


def guarded(handler: Handler) -> Handler:
    """Wrap a handler so that a refusal is answered as one, and a fault is logged once and answered 500."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return refusal_answer(refusal, cross_origin(request))
        except web.HTTPException:
            raise
        except Exception:
            log.exception("fault", path=request.path)
            return refusal_answer(Refusal(Reason.INTERNAL), cross_origin(request))

    return answer
