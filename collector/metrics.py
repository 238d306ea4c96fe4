"""Every metric, declared once with its help text."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.model import Reason

EVENTS = Counter(
    "headwater_events",
    "Events by source and verdict: stored, spooled, accepted, duplicate, checked.",
    ["source", "verdict"],
)
REFUSALS = Counter(
    "headwater_refusals", "Refused hits and events by source and reason.", ["source", "reason"]
)
HITS = Counter(
    "headwater_hits", "Hits that reached a source, by source and protocol.", ["source", "protocol"]
)
TOKENS = Counter(
    "headwater_tracker_tokens",
    "Hits of sources that ask for a tracker's token, by verdict: good, no_token, bad_token, old_token.",
    ["source", "verdict"],
)
REDACTIONS = Counter(
    "headwater_redactions", "Personal data taken out of events, by source and kind.", ["source", "kind"]
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
FAILURES = Counter(
    "headwater_redis_failures", "Appends that Redis did not confirm, by kind of error.", ["error"]
)
WELL = Gauge(
    "headwater_redis_well", "1 while every partition takes events, else 0.", multiprocess_mode="livemin"
)
SPOOL_EVENTS = Gauge("headwater_spool_events", "Events that wait on disk.", multiprocess_mode="livesum")
SPOOL_BYTES = Gauge("headwater_spool_bytes", "Bytes that wait on disk.", multiprocess_mode="livesum")
SPOOL_AGE = Gauge(
    "headwater_spool_age_seconds", "Age of the oldest event that waits on disk.", multiprocess_mode="livemax"
)
REPLAYED = Counter("headwater_replayed_events", "Events brought from the spool to Redis.")
SPOOL_DAMAGED = Counter(
    "headwater_spool_damaged", "Spool files and parcels set aside because they are damaged."
)
GROUP_LAG = Gauge(
    "headwater_group_lag_events",
    "Events that a consumer group has not acknowledged; -1 when Redis cannot tell.",
    ["stream", "partition", "group"],
    multiprocess_mode="livemostrecent",
)
GROUP_AGE = Gauge(
    "headwater_group_age_seconds",
    "Age of the oldest event that a consumer group has not acknowledged.",
    ["stream", "partition", "group"],
    multiprocess_mode="livemostrecent",
)
MACHINES = Counter(
    "headwater_mail_machines",
    "Hits on mails that machines made, by source and kind; HEAD requests are counted here alone.",
    ["source", "kind"],
)
QUEUE_CONNECTED = Gauge(
    "headwater_queue_connected",
    "1 while the broker of a queue source gives messages, 0 while it is away.",
    ["source"],
    multiprocess_mode="livemax",
)
QUEUE_MESSAGES = Counter(
    "headwater_queue_messages",
    "Messages of brokers that were made safe and acknowledged, by source.",
    ["source"],
)
CONNECTIONS = Gauge("headwater_connections", "Open connections.", multiprocess_mode="livesum")
CONNECTIONS_REFUSED = Counter(
    "headwater_connections_refused", "Connections cut at once: too many in all, or of their address."
)
CONNECTIONS_CUT = Counter(
    "headwater_connections_cut", "Connections cut because their answer was not read in time."
)
FORWARDED_IGNORED = Counter(
    "headwater_forwarded_ignored", "Hits with X-Forwarded-For while no proxy is trusted: name yours."
)
OVERLOAD = Gauge(
    "headwater_overload_stage",
    "Whose hits the worker sheds: 0 nobody's, 1 bots', 2 anonymous repeat hits too, 3 all.",
    multiprocess_mode="livemax",
)
SOURCES = Gauge("headwater_sources", "Sources in the catalogue.", multiprocess_mode="livemostrecent")

OTHERS = "(others)"  # no source can be called so
MOST_SOURCES = 10_000  # with series of their own: writing ten times as many takes a scrape many seconds


class Told:
    """The sources that have series of their own: the first so many that a worker meets."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sources: set[str] = set()

    def label(self, source: str) -> str:
        """Return the source, or the label that all others share."""
        if source not in self._sources:
            if len(self._sources) >= self._most:
                return OTHERS
            self._sources.add(source)
        return source


_told = Told(MOST_SOURCES)


def taken(source: str, protocol: str, verdicts: Sequence[str]) -> None:
    """Count a hit, and its events by what became of them."""
    _labelled(HITS, source, protocol).inc()
    for verdict in set(verdicts):
        _labelled(EVENTS, source, verdict).inc(verdicts.count(verdict))


@lru_cache(4096)  # looking labels up costs as much as counting
def _labelled(counter: Counter, source: str, label: str) -> Counter:
    return counter.labels(_told.label(source), label)


def token(source: str, verdict: str) -> None:
    """Count a hit by what its tracker's token was worth."""
    _labelled(TOKENS, source, verdict).inc()


def machine(source: str, kind: str) -> None:
    """Count a hit on a mail that a machine made."""
    _labelled(MACHINES, source, kind).inc()


def forwarded_ignored() -> float:
    """Return how many hits of this process came by a proxy that is not trusted."""
    return next(sample.value for metric in FORWARDED_IGNORED.collect() for sample in metric.samples)


def redacted(source: str, kind: str, times: int) -> None:
    """Count personal data taken out of an event."""
    _labelled(REDACTIONS, source, kind).inc(times)


def refused(source: str, reason: Reason) -> None:
    """Count a refusal; ``source`` is empty when no source was found, so that strangers make no labels."""
    _labelled(REFUSALS, source, reason.code).inc()
