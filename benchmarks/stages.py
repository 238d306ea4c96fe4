"""``python -m benchmarks.stages``: what each stage of a beacon costs, in one process without sockets."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from redis.asyncio import Redis

from benchmarks.report import put
from collector.answer import outcomes_answer, settled
from collector.app import collector
from collector.bridges.request import Reader
from collector.enrich import enrich_context
from collector.lean.head import Heads, read_head
from collector.lean.request import LeanRequest
from collector.lean.written import written
from collector.model import Outcome
from collector.protocols import native
from collector.records import encode, rules_of_bridges
from collector.settings import Settings
from collector.sources import check_form
from collector.store import Names
from collector.store.embedded import embedded_server
from collector.store.packing import pack_fast
from collector.stream.append import Appender

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.app import Collector
    from collector.model import Source

_EVENTS_A_HIT = (1, 10, 50)
_ROUNDS = 30
# What the first hit of a visitor or page costs more; the others are remembered.
_NEW_HEAD, _NEW_CONTEXT = "of a new head", "of a new context"
_TIMES = 400
_AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/131.0.0.0 Safari/537.36"
)
_PAGE = {
    "url": "https://shop.example/shoes/runner-7?utm_source=news&utm_medium=email&utm_campaign=spring",
    "title": "Runner 7, running shoes | Shop",
    "referrer": "https://search.example/?q=running+shoes",
}
_PROPERTIES = {"product_id": "runner-7", "sku": "R7-42-BLUE", "price": 129.9, "in_stock": True}


def main() -> None:
    """Print the table and put it on the page."""
    costs = asyncio.run(_run())
    new = {
        stage: [costs[events].pop(stage) for events in _EVENTS_A_HIT] for stage in (_NEW_HEAD, _NEW_CONTEXT)
    }
    stages = list(costs[1])
    rows = [(stage, *(f"{costs[events][stage]:.1f}" for events in _EVENTS_A_HIT)) for stage in stages]
    sums = [sum(costs[events].values()) for events in _EVENTS_A_HIT]
    rows += [("together", *(f"{each:.1f}" for each in sums))]
    rows += [("an event", *(f"{each / n:.1f}" for each, n in zip(sums, _EVENTS_A_HIT, strict=True)))]
    rows += [(stage, *(f"{each:.1f}" for each in of_stage)) for stage, of_stage in new.items()]
    put("benchmarks.stages", ("stage, µs a hit", *(f"{n} a hit" for n in _EVENTS_A_HIT)), rows)


async def _run() -> dict[int, dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        async with embedded_server(Path(folder)) as url:
            settings = Settings(redis_url=url, data=Path(folder) / "own")
            async with collector(settings) as running, Redis.from_url(url) as redis:
                pack_fast(redis.connection_pool)
                source = await running.catalogue.add(check_form({"id": "bench", "name": "Benchmark"}))
                return {events: _stages(running, redis, source, events) for events in _EVENTS_A_HIT}


def _stages(running: Collector, redis: Redis, source: Source, events: int) -> dict[str, float]:
    """Return the cost of each stage in microseconds, the least of all rounds."""
    best: dict[str, float] = {}
    times = _TIMES // events
    heads = Heads(lambda _: (settled, {}))
    for _ in range(_ROUNDS):
        clock = _Clock()
        for _ in range(times):
            _one_hit(clock, running, redis, source, events=events, heads=heads)
        for stage, seconds in clock.spent.items():
            best[stage] = min(best.get(stage, 1e9), seconds / times * 1e6)
    return best


def _one_hit(
    clock: _Clock, running: Collector, redis: Redis, source: Source, *, events: int, heads: Heads
) -> None:
    pipeline, enricher = running.pipeline, running.pipeline.enricher
    head, body = request(events)
    reader = Reader(running.settings, pipeline.limits)
    appender = Appender(redis, Names(running.settings.namespace), 0)
    connection = redis.connection_pool.make_connection()
    rules = rules_of_bridges(running.settings)[source.bridge]
    read: Any = clock.time("read the head", lambda: heads.read(head))
    asked = LeanRequest(read[0], body, {"source": "bench"}, "192.0.2.1")
    hit = clock.time("read the hit", lambda: reader.hit(asked, source, body))
    batch = clock.time("decode, validate", lambda: native.beacon(hit, rules.limits))
    context = batch.events[0].message["context"]
    clock.time(_NEW_HEAD, lambda: read_head(head))
    clock.time(_NEW_CONTEXT, lambda: enrich_context(context, hit, enricher.steps))
    clock.time("enrich", lambda: enricher.enrich(batch.events, hit))
    clock.time("judge", lambda: enricher.judge(batch, hit))
    records = clock.time("encode", lambda: encode(batch, hit, rules))
    keys, arguments = clock.time("pack", lambda: appender._pack(records, ()))  # noqa: SLF001
    command = ("EVALSHA", "0" * 40, len(keys), *keys, *arguments)
    clock.time("pack", lambda: connection.pack_command(*command))
    outcomes = [Outcome(event.index, "stored", event.id, "1-1") for event in batch.events]
    clock.time("count", lambda: pipeline._report(outcomes, batch, source))  # noqa: SLF001
    answer = clock.time("answer", lambda: outcomes_answer(outcomes, {"Vary": "Origin"}))
    clock.time("answer", lambda: written(answer, b"Date: now\r\n", head_only=False, keep_alive=True))


class _Clock:
    """Time spent by stage, in seconds."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    def time(self, stage: str, work: Callable[[], Any]) -> Any:
        """Do the work; add its time to the stage's."""
        started = time.perf_counter()
        done = work()
        self.spent[stage] = self.spent.get(stage, 0) + time.perf_counter() - started
        return done


def request(events: int, mark: str = "") -> tuple[bytes, bytes]:
    """Return head and body of a beacon as a browser sends it; ``mark`` makes its ids its own."""
    items = [
        {
            "messageId": f"0193aaaa-bbbb-7ccc-8ddd-{mark}{number:0{12 - len(mark)}x}",
            "type": "track",
            "event": "Product Viewed",
            "originalTimestamp": "2026-11-24T00:00:00.000Z",
            "properties": {**_PROPERTIES, "position": number},
        }
        for number in range(events)
    ]
    context = {"page": _PAGE, "timezone": "Europe/Zurich", "locale": "de-CH"}
    envelope = {"sentAt": "2026-11-24T00:00:00.000Z", "anonymousId": "v1", "context": context, "batch": items}
    body = orjson.dumps(envelope)
    fields = {
        "Host": "collect.example",
        "Content-Type": "text/plain;charset=UTF-8",
        "Origin": "https://shop.example",
        "Accept-Language": "de-CH,de;q=0.9,en;q=0.8",
        "User-Agent": _AGENT,
        "Content-Length": str(len(body)),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST /e/bench HTTP/1.1\r\n{lines}\r\n".encode(), body


if __name__ == "__main__":
    main()
