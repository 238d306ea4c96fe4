"""Messages of brokers: one of the dialects in each, and a dead letter of what cannot be read at all."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from collector.model import Hit, Refusal
from collector.protocols import native
from collector.protocols.batch import Batch, Limits, Protocol
from collector.protocols.payload import read_payload
from collector.protocols.segment import segment
from collector.protocols.tracardi import Visit, tracardi
from collector.protocols.webhook import webhook

if TYPE_CHECKING:
    from collector.protocols.webhook import Plan


def message(form: str, plan: Plan) -> Protocol:
    """Return the protocol that reads messages of a format; ``plan`` maps those of no dialect.

    It refuses none as a whole: of what cannot be read a dead letter is made.
    """

    def understand(hit: Hit, limits: Limits) -> Batch:
        try:
            return _dialect(form, plan, hit)(hit, limits)
        except Refusal as refusal:
            return dead_letter(refusal)(hit, limits)

    return understand


def dead_letter(refusal: Refusal) -> Protocol:
    """Return the protocol that reads nothing of a message and keeps it with the reason."""

    def understand(hit: Hit, _limits: Limits) -> Batch:
        return Batch("queue", refused=[(0, refusal)], raw={0: _kept(hit)})

    return understand


def _dialect(form: str, plan: Plan, hit: Hit) -> Protocol:
    if form in {"mapping", "cloudevents"}:
        return webhook(plan)
    if form in {"batch", "event"}:
        return native.beacon if form == "batch" else native.single
    payload = read_payload(hit.body, hit.headers.get("Content-Type", ""))
    if form == "segment":
        return segment(payload, "")
    return tracardi(payload, Visit.of(payload.value))


def _kept(hit: Hit) -> dict[str, Any]:
    """Return a message as it came; what is no text as base64."""
    about = {"id": hit.id, "topic": hit.path}
    try:
        return {**about, "body": hit.body.decode()}
    except UnicodeDecodeError:
        return {**about, "base64": base64.b64encode(hit.body).decode()}
