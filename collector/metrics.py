"""Every metric, declared once with its help text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collector.model import Reason

EVENTS = Counter(
    "headwater_events", "Events by source and verdict: stored, duplicate, checked.", ["source", "verdict"]
)
REFUSALS = Counter(
    "headwater_refusals", "Refused hits and events by source and reason.", ["source", "reason"]
)
HITS = Counter(
    "headwater_hits", "Hits that reached a source, by source and protocol.", ["source", "protocol"]
)
APPEND_SECONDS = Histogram(
    "headwater_append_seconds",
    "Time from the group's start to Redis' answer.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
GROUP_EVENTS = Histogram(
    "headwater_group_events",
    "Events appended to Redis in one round trip.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)
SOURCES = Gauge("headwater_sources", "Sources in the catalogue.", multiprocess_mode="max")


def refused(source: str, reason: Reason) -> None:
    """Count a refusal; ``source`` is empty when no source was found, so that strangers make no labels."""
    REFUSALS.labels(source, reason.code).inc()
