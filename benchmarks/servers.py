"""The cost of understanding what servers send: a signed GitHub delivery, and a batch of Segment's API."""

from __future__ import annotations

import hashlib
import hmac
import time
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from multidict import CIMultiDict

from collector.model import Hit, Source
from collector.protocols import Limits, native
from collector.protocols.payload import read_payload
from collector.protocols.segment import segment
from collector.protocols.webhook import webhook
from collector.sources.servers import WebhookSettings

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS = 7
_EVENTS = 100
_SECRET = "s3cret"  # noqa: S105 - of this benchmark
_LIMITS = Limits(events=2500, event_bytes=256 * 1024)
# From @octokit/webhooks-examples 7.6.1, MIT.
_DELIVERY = Path(__file__).parent.parent / "tests" / "wire" / "servers" / "github-issues.json"


def main() -> None:
    """Print the cost of each in microseconds of CPU; the calmest of seven rounds."""
    body = _DELIVERY.read_bytes().strip()
    print(f"{len(body)} bytes of GitHub, verified and mapped: {_cost(_github(body), 1000):.1f} µs")
    print(f"an event of /v1/batch, {_EVENTS} a batch: {_cost(_batch(), 50) / _EVENTS:.1f} µs")
    print(f"an event of a beacon, {_EVENTS} a batch: {_cost(_beacon(), 50) / _EVENTS:.1f} µs")


def _cost(work: Callable[[], object], times: int) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        start = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - start) / times)
    return best * 1e6


def _hit(body: bytes, headers: dict[str, str]) -> Hit:
    source = Source(id="bench", name="Bench", bridge="webhook", settings=None)
    return Hit(source, time.time_ns() // 1_000_000, body, headers=CIMultiDict(headers))


def _github(body: bytes) -> Callable[[], object]:
    plan = WebhookSettings(preset="github", secrets=(_SECRET,)).plan
    signature = hmac.new(_SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Event": "issues"}
    hit = _hit(body, {**headers, "X-GitHub-Delivery": "d1", "Content-Type": "application/json"})
    return lambda: webhook(plan)(hit, _LIMITS)


def _item(number: int) -> dict[str, object]:
    properties = {"seconds": 312, "reason": "billing", "total": 3.5}
    identity = {"type": "track", "event": "Call Ended", "userId": "u1", "messageId": f"m{number}"}
    return {**identity, "timestamp": "2026-01-02T03:04:05.000Z", "properties": properties}


def _batch() -> Callable[[], object]:
    own = {"context": {"library": {"name": "analytics-python", "version": "2.4.0"}}, "integrations": {}}
    items = [{**_item(number), **own} for number in range(_EVENTS)]
    body = orjson.dumps({"batch": items, "sentAt": "2026-01-02T03:04:06.000Z"})
    hit = _hit(body, {})
    return lambda: segment(read_payload(body, "application/json"), "batch")(hit, _LIMITS)


def _beacon() -> Callable[[], object]:
    items = [_item(number) for number in range(_EVENTS)]
    hit = _hit(orjson.dumps({"batch": items, "sentAt": "2026-01-02T03:04:06.000Z"}), {})
    return lambda: native.beacon(hit, _LIMITS)


if __name__ == "__main__":
    main()
