"""What Mixpanel's clients are answered: ``1`` or ``0``, words, a picture, or what became of each event."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from collector.exchange import GIF, PIXEL_HEADERS, Answer
from collector.protocols.dialect import json_body

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collector.model import Outcome, Refusal
    from collector.protocols.dialect import Call, Sent


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks of its answer."""

    picture: bool = False
    words: bool = False
    each: bool = False
    lenient: bool = False


def asked(fields: Mapping[str, Any], *, is_import: bool) -> Asked:
    """Return what a call asks for by the fields of its query and form."""
    return Asked(
        picture=fields.get("img") == "1",
        words=str(fields.get("verbose", "0")) not in {"", "0"},
        each=is_import and "data" not in fields,
        lenient=fields.get("strict") == "0",
    )


def accepted(sent: Sent, outcomes: Sequence[Outcome]) -> Answer:
    """Answer what is safe, and what was refused of it."""
    wish, ids = sent.more
    refusals = [outcome.refusal for outcome in outcomes if outcome.refusal]
    if wish.each:
        return _told_each(outcomes, ids, lenient=wish.lenient)
    if refusals and len(refusals) == len(outcomes):
        return _answer(wish, refusals[0].reason.status, refusals[0].message)
    return _answer(wish, 200, None)


def refused(call: Call, refusal: Refusal) -> Answer:
    """Answer as its libraries read it: those of servers need ``status`` and ``error``."""
    status, wait = refusal.reason.status, refusal.retry_after
    answer = json_body(status, {"code": status, "status": 0, "error": refusal.message})
    if "img=1" in call.query.split("&"):
        answer = Answer(status, PIXEL_HEADERS, GIF)
    headers = {"Retry-After": str(wait)} if wait is not None else {}
    return replace(answer, headers={**answer.headers, **headers})


def _told_each(outcomes: Sequence[Outcome], ids: Sequence[str], *, lenient: bool) -> Answer:
    """Answer an import: how many are safe, and of the others what is wrong with each."""
    failed = [
        {
            "index": outcome.index,
            "insert_id": ids[outcome.index],
            "field": outcome.refusal.reason.code,
            "message": outcome.refusal.message,
        }
        for outcome in outcomes
        if outcome.refusal
    ]
    kept = {"num_records_imported": len(outcomes) - len(failed)}
    if not failed or lenient:
        return json_body(200, {"code": 200, "status": "OK", **kept})
    told = {
        "code": 400,
        "error": "some data points in the request failed validation",
        "status": "Bad Request",
    }
    return json_body(400, {**told, **kept, "failed_records": failed})


def _answer(wish: Asked, status: int, error: str | None) -> Answer:
    if wish.picture:
        return Answer(status, PIXEL_HEADERS, GIF)
    if wish.words or error:
        return json_body(status, {"status": int(error is None), "error": error})
    return Answer(status, {"Cache-Control": "no-store", "Content-Type": "text/plain; charset=utf-8"}, b"1")
