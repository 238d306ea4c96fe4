"""What is remembered of the hits of servers: the verdict, and where the source asks for it the hit itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from multidict import CIMultiDict

from collector.protocols.sent_secrets import MASK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from collector.model import Hit, Outcome, Refusal, Source
    from collector.protocols import Batch, Limits, Protocol
    from collector.store.deliveries import DeliveryLog

_KEY_HEADERS = ("Authorization", "X-Write-Key")
_KEY_PARAMETER = "writeKey"


def without_keys(way: str, keys: Iterable[str]) -> Callable[[Hit], Hit]:
    """Return what takes the write keys out of a hit; ``way`` tells replay how to understand it."""

    def clean(hit: Hit) -> Hit:
        body = hit.body
        for key in filter(None, keys):
            body = body.replace(key.encode(errors="replace"), MASK.encode())
        known = set(keys)
        query = [
            pair
            for pair in parse_qsl(hit.query, keep_blank_values=True)
            if pair[0] != _KEY_PARAMETER and pair[1] not in known
        ]
        headers = CIMultiDict(hit.headers)
        for name in _KEY_HEADERS:
            headers.popall(name, None)
        return replace(hit, body=body, query=urlencode(query), headers=headers, url="", path=way)

    return clean


def hiding(protocol: Protocol, keys: Iterable[str]) -> Protocol:
    """Return a protocol of whose refused items no write key is kept, in quarantine either."""

    def understand(hit: Hit, limits: Limits) -> Batch:
        batch = protocol(hit, limits)
        batch.secrets = tuple(keys)
        return batch

    return understand


def remember_taken(
    log: DeliveryLog, hit: Hit, outcomes: Sequence[Outcome], clean: Callable[[Hit], Hit]
) -> None:
    """Remember what became of a hit. Of rest sources, only hits that are kept or had something refused."""
    keep, refused = hit.source.settings.keep, [each for each in outcomes if each.refusal]
    kept = keep == "all" or (keep == "refused" and bool(refused))
    if not (kept or refused) and hit.source.bridge == "rest":
        return
    row = {
        "verdict": ", ".join(sorted({outcome.verdict for outcome in outcomes})) or "handshake",
        "reason": ", ".join(sorted({each.refusal.reason.code for each in refused if each.refusal})),
        "refused": " ".join(str(each.index) for each in refused),
        "ids": " ".join(outcome.id or "" for outcome in outcomes)[:500],
    }
    log.add(hit.source.id, row, clean(hit) if kept else None)


def remember_refused(
    log: DeliveryLog,
    source: Source,
    hit: Hit | None,
    refusal: Refusal,
    clean: Callable[[Hit], Hit],
) -> None:
    """Remember why a hit was refused as a whole; ``hit`` is None when it could not be read so far."""
    row = {"verdict": "refused", "reason": refusal.reason.code, "detail": refusal.detail[:500]}
    log.add(source.id, row, clean(hit) if hit and source.settings.keep != "off" else None)
