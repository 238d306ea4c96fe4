"""What the public door answers: refusals with their reason, outcomes per event, cross-origin headers."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import orjson
import structlog
from aiohttp import web

from collector.exchange import REASON_HEADER, Answer, SharedFields
from collector.model import Outcome, Reason, Refusal
from collector.recall import remembered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from collector.exchange import Request

    Answered: TypeAlias = "Answer | web.StreamResponse"
    Handler = Callable[[web.Request], Awaitable[Answered]]

log = structlog.get_logger()

T = TypeVar("T")

NO_STORE = {"Cache-Control": "no-store"}
_JSON = {**NO_STORE, "Content-Type": "application/json"}
_SECRET_PARTS = ("key", "token")

_PREFLIGHT_SECONDS = "86400"
_EXPOSED = f"Retry-After, {REASON_HEADER}, X-Headwater-Interval, X-Headwater-Ack"


def json_answer(status: int, body: Any, headers: Mapping[str, str]) -> Answer:
    """Return a JSON answer that no cache keeps."""
    return Answer(status, {**_JSON, **headers}, orjson.dumps(body))


def text_answer(text: str, headers: Mapping[str, str] = NO_STORE) -> Answer:
    """Return a plain text that people may read."""
    return Answer(200, {**headers, "Content-Type": "text/plain; charset=utf-8"}, text.encode())


def refusal_answer(
    refusal: Refusal, headers: Mapping[str, str], more: Mapping[str, Any] | None = None
) -> Answer:
    """Return the answer to a hit that was refused as a whole."""
    reason = refusal.reason
    extra = {REASON_HEADER: reason.code, **headers}
    if refusal.retry_after is not None:
        extra["Retry-After"] = str(refusal.retry_after)
    return json_answer(
        reason.status, {"code": reason.code, "message": refusal.message, **(more or {})}, extra
    )


def outcomes_answer(outcomes: Sequence[Outcome], headers: Mapping[str, str]) -> Answer:
    """Return 204 when every event is safe; else what became of each, as 200 or, if none is safe, 400."""
    reason = reason_header(outcomes)
    if not reason:
        return Answer(204, {**NO_STORE, **headers})
    body: dict[str, Any] = {"events": [_outcome(outcome) for outcome in outcomes]}
    status = 200 if any(outcome.refusal is None for outcome in outcomes) else 400
    if status == Reason.BAD_REQUEST.status:
        body |= {
            "code": Reason.BAD_REQUEST.code,
            "message": "No event of the batch was accepted; each has its reason.",
        }
    return json_answer(status, body, {**reason, **headers})


@remembered(1024)
def safe_answer(origin: str | None) -> Answer:
    """Return the answer to a page's hit whose events are all safe: for one origin always the same."""
    return Answer(204, SharedFields({**NO_STORE, **_readable_by(origin)}))


def accepted_answer(outcomes: Sequence[Outcome], headers: Mapping[str, str]) -> Answer:
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
    refused = [outcome.refusal for outcome in outcomes if outcome.refusal is not None]
    if not refused:
        return {}
    return {REASON_HEADER: ", ".join(sorted({refusal.reason.code for refusal in refused}))}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {"index": outcome.index, "outcome": outcome.verdict}
    if outcome.id:
        row["messageId"] = outcome.id
    if outcome.entry:
        row["entry"] = outcome.entry
    if outcome.refusal:
        row |= {"reason": outcome.refusal.reason.code, "message": outcome.refusal.message}
    return row


def where(request: Request) -> str:
    """Return the method and path of a request for people to see: without the keys and tokens in it."""
    path = request.path
    for name in _SECRET_PARTS:
        if part := request.match_info.get(name):
            path = path.replace(part, "…")
    return f"{request.method} {path}"[:200]


def cross_origin(request: Request) -> dict[str, str]:
    """Return the headers that let a page read the answer; also on refusals, so that it stops asking."""
    return _readable_by(request.headers.get("Origin"))


def _readable_by(origin: str | None) -> dict[str, str]:
    if origin is None:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",  # some clients send cookies; none is read here
        "Access-Control-Expose-Headers": _EXPOSED,
        "Vary": "Origin",
    }


def preflight_answer(request: Request) -> Answer:
    """Answer a CORS preflight: reflect what is asked for, since retries of clients add headers."""
    asked = request.headers.get("Access-Control-Request-Headers", "")
    return Answer(
        204,
        {
            **NO_STORE,
            **cross_origin(request),
            "Access-Control-Allow-Methods": "POST, GET, HEAD",
            "Access-Control-Allow-Headers": asked or "Content-Type",
            "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
        },
    )


async def settled(handler: Callable[[Any], Awaitable[T]], request: Request) -> T | Answer:
    """Return a handler's answer; a refusal is answered as one, a fault is logged once and answered 500."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return refusal_answer(refusal, cross_origin(request))
    except web.HTTPException:
        raise
    except Exception:
        log.exception("fault", at=where(request))
        return refusal_answer(Refusal(Reason.INTERNAL), cross_origin(request))


def guarded(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the handler as aiohttp wants it; see ``settled``."""

    @wraps(handler)
    async def respond(request: web.Request) -> web.StreamResponse:
        answer = await settled(handler, request)
        if isinstance(answer, web.StreamResponse):
            return answer
        response = web.Response(status=answer.status, headers=answer.headers, body=answer.body or None)
        if answer.last:
            response.force_close()
        return response

    return respond
