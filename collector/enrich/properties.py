"""The properties and traits of an event: what must not be kept goes, what must not be told is redacted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector import metrics
from collector.enrich import redact

if TYPE_CHECKING:
    from collector.model import Event, Hit

_PLACES = ("properties", "traits")


def judge(event: Event, hit: Hit) -> None:
    """Remove and redact what the source says, and count every redaction, the page's included."""
    privacy = hit.source.privacy
    found = dict(event.message["context"].get("redacted", {}))
    for place in _PLACES if privacy.remove or privacy.scan else ():
        held = event.message.get(place)
        if held:
            kept = {key: value for key, value in held.items() if key not in privacy.remove}
            event.message[place] = _scanned(kept, found) if privacy.scan else kept
    for kind, times in found.items():
        metrics.REDACTIONS.labels(hit.source.id, kind).inc(times)


def _scanned(value: Any, found: dict[str, int]) -> Any:
    if isinstance(value, str):
        clean, kinds = redact.text(value)
        for kind in kinds:
            found[kind] = found.get(kind, 0) + 1
        return clean
    if isinstance(value, dict):
        return {key: _scanned(item, found) for key, item in value.items()}
    if isinstance(value, list):
        return [_scanned(item, found) for item in value]
    return value
