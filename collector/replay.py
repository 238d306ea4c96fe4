"""Replay: take kept hits once more, as they came and at the time they came, by the source as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.model import Outcome, Refusal
from collector.protocols.dialect import Call
from collector.protocols.dialects import DIALECTS
from collector.protocols.payload import read_payload, read_query
from collector.protocols.segment import segment
from collector.protocols.sent_secrets import with_secrets
from collector.protocols.tracardi import Visit, collected, tracardi
from collector.protocols.webhook import webhook
from collector.store.deliveries import unpack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Container

    from collector.model import Hit, Source
    from collector.pipeline import Pipeline
    from collector.protocols import Batch, Limits, Protocol
    from collector.store.deliveries import DeliveryLog


async def replay(
    pipeline: Pipeline, log: DeliveryLog, source: Source, entries: Container[str] = ()
) -> AsyncIterator[tuple[str, list[Outcome] | Refusal]]:
    """Yield the entry of each kept hit, oldest first, and what became of it now.

    Without ``entries`` only what was refused is taken; named ones are taken whole, and an event of theirs
    that has no id of its own is stored again. Raises redis.exceptions.RedisError.
    """
    for row in reversed(await log.last(source.id)):
        if "raw" not in row or (row["entry"] not in entries if entries else not row.get("reason")):
            continue
        hit = unpack(row["raw"], source)
        if source.bridge == "webhook":
            hit = with_secrets(hit, source.settings.plan.secrets)
        only = None if entries else {int(index) for index in row.get("refused", "").split()}
        try:
            yield row["entry"], await pipeline.take(hit, _part(understood(hit), only))
        except Refusal as refusal:
            yield row["entry"], refusal


def understood(hit: Hit) -> Protocol:
    """Return the protocol of a kept hit; of rest sources its path says which. Raises Refusal."""
    if hit.source.bridge == "webhook":
        return webhook(hit.source.settings.plan)
    dialect, _, way = hit.path.partition("/")
    if dialect in DIALECTS:
        return DIALECTS[dialect].read(Call(hit.body, hit.query, hit.headers, hit.method, f"/{way}")).protocol
    payload = read_payload(hit.body, hit.headers.get("Content-Type", ""))
    if dialect == "segment":
        return segment(payload, way)
    if way:
        session, _, kind = way.partition("/")
        value = collected(payload, read_query(hit.query), kind, session or None)
        payload = type(payload)("json", value, payload.flags)
    return tracardi(payload, Visit.of(payload.value))


def _part(protocol: Protocol, only: set[int] | None) -> Protocol:
    """Return a protocol that leaves out what was stored the first time; nothing named is everything."""
    if not only:
        return protocol

    def understand(hit: Hit, limits: Limits) -> Batch:
        batch = protocol(hit, limits)
        batch.events = [event for event in batch.events if event.index in only]
        batch.refused = [refused for refused in batch.refused if refused[0] in only]
        return batch

    return understand
