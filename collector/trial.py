"""The dry run: what would be stored of a hit, and the part of each step, judge and rule in it."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

import orjson
from multidict import CIMultiDict

from collector.enrich import enrich_context
from collector.enrich.rules import matching
from collector.model import Hit
from collector.protocols.decode import parse
from collector.records import encode, rules_of_bridges

if TYPE_CHECKING:
    from collector.enrich import Enricher
    from collector.model import Event, Refusal, Source
    from collector.protocols import Protocol
    from collector.settings import Settings


def dry_run(hit: Hit, understand: Protocol, enricher: Enricher, settings: Settings) -> list[dict[str, Any]]:
    """Return for each item of a hit its outcome, what would be stored, and who did what.

    Raises Refusal when the hit as a whole cannot be read.
    """
    rules = rules_of_bridges(settings)[hit.source.bridge]
    batch = understand(hit, rules.limits)
    reports = {event.index: _report(event, hit, enricher) for event in batch.events}
    batch.set_apart([reports[event.index].pop("refusal") for event in batch.events])
    for record, event in zip(encode(batch, hit, rules), list(batch.events), strict=False):
        reports[event.index] |= {
            "outcome": "checked" if hit.source.transitional else "stored",
            "stream": record.stream,
            "stored": orjson.loads(record.data),
        }
    for index, refusal in batch.refused:
        reports.setdefault(index, {}).update(_refused(refusal))
    return [{"index": index, **reports[index]} for index in sorted(reports)]


def read_hit(source: Source, raw: bytes) -> Hit:
    """Return the hit that people write: a body, or an object with body, headers and address.

    Raises Refusal not_json and its like.
    """
    told = parse(raw)
    if not isinstance(told, dict) or "body" not in told:
        told = {"body": told}
    headers, address = told.get("headers"), told.get("address")
    named = headers if isinstance(headers, dict) else {}
    return Hit(
        source=source,
        received_at=time.time_ns() // 1_000_000,
        body=orjson.dumps(told["body"]),
        headers=CIMultiDict({str(key): str(value) for key, value in named.items()}),
        address=address if isinstance(address, str) else None,
    )


def _report(event: Event, hit: Hit, enricher: Enricher) -> dict[str, Any]:
    """Take an event through steps and judges one by one and note each one's part."""
    steps = {}
    context = event.message["context"]
    for name, step in enricher.steps:
        if name not in hit.source.enrichment.off:
            after = enrich_context(context, hit, ((name, step),))
            steps[name] = {key: value for key, value in after.items() if context.get(key) != value}
            context = after
    event.message["context"] = context
    judges: list[dict[str, Any]] = []
    refusal = None
    for judge in enricher.judges:
        before, rule = copy.deepcopy(event.message), matching(hit.source.enrichment.rules, event, hit)
        refusal = judge(event, hit)
        name = judge.__module__.rpartition(".")[2]
        if name == "rules" and rule:
            judges.append({"judge": name, "rule": rule.name, **_change(before, event, refusal)})
        elif refusal or before != event.message:
            judges.append({"judge": name, **_change(before, event, refusal)})
        if refusal:
            break
    return {
        "steps": {name: told for name, told in steps.items() if told},
        "judges": judges,
        "refusal": refusal,
    }


def _change(before: dict[str, Any], event: Event, refusal: Refusal | None) -> dict[str, Any]:
    """Return a judge's reason, or the fields that are other than before; null is one that went."""
    if refusal:
        return {"reason": refusal.reason.code}
    keys = before.keys() | event.message.keys()
    return {
        "changed": {
            key: event.message.get(key) for key in sorted(keys) if before.get(key) != event.message.get(key)
        }
    }


def _refused(refusal: Refusal) -> dict[str, Any]:
    outcome = "dropped" if refusal.dropped else "refused"
    return {"outcome": outcome, "reason": refusal.reason.code, "message": refusal.message}
