"""The cost of what servers send: understanding a signed GitHub delivery, and events of Segment's API."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import tempfile
import time
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import orjson
from multidict import CIMultiDict

from benchmarks.contender import SOURCE, headwater
from benchmarks.process import cpu_seconds
from collector.cli.context import opened
from collector.model import Hit, Source
from collector.protocols import Limits, native
from collector.protocols.payload import read_payload
from collector.protocols.segment import segment
from collector.protocols.webhook import webhook
from collector.settings import Settings
from collector.sources import check_form
from collector.sources.keys import add_key
from collector.sources.servers import WebhookSettings
from collector.store.embedded import embedded_server

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS = 7
_EVENTS = 100
_DOOR_ROUNDS = 3
_DOOR_BATCHES = 100
_CONNECTIONS = 8
_LIBRARY = {"context": {"library": {"name": "analytics-python", "version": "2.4.0"}}, "integrations": {}}
_SECRET = "s3cret"  # noqa: S105 - of this benchmark
_LIMITS = Limits(events=2500, event_bytes=256 * 1024)
# From @octokit/webhooks-examples 7.6.1, MIT.
_DELIVERY = Path(__file__).parent.parent / "tests" / "wire" / "servers" / "github-issues.json"


def main() -> None:
    """Print the cost of each in microseconds of CPU; the calmest of seven rounds."""
    body = _DELIVERY.read_bytes().strip()
    print(f"{len(body)} bytes of GitHub, verified and mapped: {_cost(_github(body), 1000):.1f} µs")
    print(f"an event of /v1/batch, {_EVENTS} a batch, understood: {_cost(_batch(), 50) / _EVENTS:.1f} µs")
    print(f"an event of a beacon, {_EVENTS} a batch, understood: {_cost(_beacon(), 50) / _EVENTS:.1f} µs")
    batch, beacon = asyncio.run(_through_the_door())
    print(f"an event of /v1/batch from the door to the stream: {batch:.1f} µs of the collector's CPU")
    print(f"an event of a beacon from the door to the stream: {beacon:.1f} µs")
    print(f"apart: {batch - beacon:.1f} µs")


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


def _body(first: int = 0, **own: object) -> bytes:
    items = [{**_item(number), **own} for number in range(first, first + _EVENTS)]
    return orjson.dumps({"batch": items, "sentAt": "2026-01-02T03:04:06.000Z"})


def _batch() -> Callable[[], object]:
    body = _body(**_LIBRARY)
    hit = _hit(body, {})
    return lambda: segment(read_payload(body, "application/json"), "batch")(hit, _LIMITS)


def _beacon() -> Callable[[], object]:
    hit = _hit(_body(), {})
    return lambda: native.beacon(hit, _LIMITS)


async def _through_the_door() -> tuple[float, float]:
    """Return what an event costs the collector as /v1/batch and as beacon, in microseconds of CPU."""
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        async with embedded_server(Path(name)) as url, headwater(Path(name), url) as collector:
            key = await _rest_key(Settings(data=Path(name), redis_url=url))
            api = (collector.url.replace(f"/e/{SOURCE}", "/v1/batch"), f"Bearer {key}", _LIBRARY)
            await _until_known(api[0], api[1])
            costs: list[list[float]] = [[], []]
            for round_ in range(_DOOR_ROUNDS):
                for place, (address, key_, own) in enumerate((api, (collector.url, "", {}))):
                    first = (round_ * 2 + place) * _DOOR_BATCHES * _EVENTS
                    bodies = [_body(first + each * _EVENTS, **own) for each in range(_DOOR_BATCHES)]
                    costs[place].append(await _door_cost(collector.pid, address, key_, bodies))
            return min(costs[0]), min(costs[1])


async def _rest_key(settings: Settings) -> str:
    async with opened(settings) as (_, _, catalogue):
        await catalogue.add(check_form({"id": "bench-rest", "name": "Benchmark", "bridge": "rest"}))
        return await add_key(catalogue, "bench-rest")


async def _until_known(address: str, key: str) -> None:
    """Wait until the collector has heard of the key, which was added beside it."""
    async with aiohttp.ClientSession(headers={"Authorization": key}) as session, asyncio.timeout(10):
        while (await session.post(address, data=_body(10**6))).status != HTTPStatus.OK:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.05)


async def _door_cost(pid: int, address: str, key: str, bodies: list[bytes]) -> float:
    headers = {"Content-Type": "application/json", **({"Authorization": key} if key else {})}
    before = cpu_seconds(pid)
    async with aiohttp.ClientSession() as session:
        waiting = iter(bodies)

        async def send() -> None:
            for body in waiting:
                async with session.post(address, data=body, headers=headers) as answer:
                    answer.raise_for_status()

        await asyncio.gather(*(send() for _ in range(_CONNECTIONS)))
    return (cpu_seconds(pid) - before) / (len(bodies) * _EVENTS) * 1e6


if __name__ == "__main__":
    main()
