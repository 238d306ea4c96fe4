"""The second look at clicks on mails: a scanner shows once its burst is in the stream.

An event is never changed: a correcting event follows, with an id of its own that depends on what it corrects
and why, so that a look repeated appends nothing twice.
"""

from __future__ import annotations

import time
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from collector import __version__
from collector.mails.scanners import TRAP_MS, VERSION, Click, Finding, find_scanners
from collector.protocols.clock import to_iso
from collector.stream.append import Appender, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.store import Names, Redis
    from collector.stream.consumer import Delivery

GROUP = "classify"

_CLICK, _CORRECTION = "Email Link Clicked", "Email Click Corrected"
_MARK = orjson.dumps(_CLICK)
_KEPT_SECONDS = 3600
_MOST = 1000  # clicks on one mail that are looked at together
_WINDOW = 7 * 24 * 3600  # seconds that a correction's id is remembered


class Classifier:
    """Correct the clicks of scanners in the partitions of a stream."""

    def __init__(self, redis: Redis, names: Names, *, stream: str = "events", partitions: int = 1) -> None:
        self._redis = redis
        self._names = names
        self._stream = stream
        self._numbers = {names.stream(number, stream): number for number in range(partitions)}

    async def take(self, batch: Sequence[Delivery]) -> int:
        """Look at the clicks in a batch and their neighbours; return how many corrections were appended.

        Raises redis.exceptions.RedisError, OSError.
        """
        return sum([await self._look(each) for each in batch if _MARK in each.event])

    async def _look(self, delivery: Delivery) -> int:
        event = orjson.loads(delivery.event)
        if not _is_click(event):
            return 0
        near = await self._neighbours(event, _milliseconds(event["receivedAt"]))
        findings = find_scanners([_to_click(each) for each in near])
        now = time.time_ns() // 1_000_000
        records = [
            self._record(each, findings[each["messageId"]], now)
            for each in near
            if each["messageId"] in findings
        ]
        if not records:
            return 0
        receipts = await Appender(self._redis, self._names, self._numbers[delivery.key]).append(records)
        return sum(receipt.verdict == "stored" for receipt in receipts)

    async def _neighbours(self, event: dict[str, Any], at: int) -> list[dict[str, Any]]:
        """Remember a click and return those on the same mail around it."""
        slim = {key: event[key] for key in ("messageId", "anonymousId", "source", "properties", "receivedAt")}
        told = "\0".join((event["source"]["id"], event["properties"]["email_id"], event["anonymousId"]))
        key = self._names.clicks(blake2b(told.encode(), digest_size=16).hexdigest())
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zadd(key, {orjson.dumps(slim, option=orjson.OPT_SORT_KEYS): at})
            pipe.zremrangebyrank(key, 0, -_MOST - 1)
            pipe.expire(key, _KEPT_SECONDS)
            # Both sides: the farthest that a click around the trap can be from another.
            pipe.zrangebyscore(key, at - 2 * TRAP_MS, at + 2 * TRAP_MS)
            rows: Any = (await pipe.execute())[-1]
        return [orjson.loads(row) for row in rows]

    def _record(self, click: dict[str, Any], finding: Finding, now: int) -> Record:
        event = _correction(click, finding, now)
        return Record(
            click["anonymousId"],
            self._stream,
            click["source"]["id"],
            "track",
            event["messageId"],
            _WINDOW,
            orjson.dumps(event),
        )


def _is_click(event: dict[str, Any]) -> bool:
    """Tell whether it is a named recipient's click: what is nobody's by consent cannot be seen together."""
    return (
        event.get("event") == _CLICK and event["source"].get("bridge") == "email" and "anonymousId" in event
    )


def _to_click(event: dict[str, Any]) -> Click:
    properties = event["properties"]
    at = _milliseconds(event["receivedAt"])
    return Click(event["messageId"], at, properties["link_id"], properties["link_url"])


def _correction(click: dict[str, Any], finding: Finding, now: int) -> dict[str, Any]:
    machine = {
        "kind": "scanner",
        "confidence": finding.confidence,
        "why": finding.why,
        "version": VERSION,
    }
    return {
        "messageId": f"{click['messageId']}:{finding.why}:{finding.confidence}",
        "type": "track",
        "event": _CORRECTION,
        "anonymousId": click["anonymousId"],
        "properties": {**click["properties"], "corrects": click["messageId"]},
        "context": {},
        "source": click["source"],
        "timestamp": click["receivedAt"],
        "receivedAt": to_iso(now),
        "collector": {"version": __version__, "protocol": "email", "machine": machine},
    }


def _milliseconds(time_text: str) -> int:
    return round(datetime.fromisoformat(time_text).timestamp() * 1000)
