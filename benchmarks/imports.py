"""What a second of one core imports from archives of each format, out of a file and into the stream.

Of several rounds the one that cost least is shown: whatever else runs on the machine only adds to the cost.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from collector.app import collector
from collector.archives import FORMATS, Opened
from collector.archives.importer import Importer
from collector.archives.snowplow import COLUMNS
from collector.cli.context import calm_garbage_collection, use_uvloop
from collector.logs import configure_logs
from collector.settings import Settings
from collector.sources import check_form
from collector.store import Names, open_store
from collector.store.positions import Positions

if TYPE_CHECKING:
    from collections.abc import Callable

_EVENTS, _ROUNDS = 10_000, 8
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0"
_BEGAN = 1760097336


async def main() -> None:
    """Print for each format the events a second of wall time and of this process' processor time."""
    now = datetime.now(UTC).date().isoformat()
    machine = (
        f"Python {platform.python_version()}, {platform.machine()}, load average {os.getloadavg()[0]:.1f}"
    )
    print(f"{now}, {machine}, the best of {_ROUNDS} archives of {_EVENTS:,} events in gzip:\n")
    print("| format | events a second | of processor time |\n| --- | --- | --- |")
    for kind, write in _WRITERS.items():
        with tempfile.TemporaryDirectory() as folder:
            for each in range(_ROUNDS):
                numbers = range(each * _EVENTS, (each + 1) * _EVENTS)
                lines = b"\n".join(map(write, numbers))
                Path(folder, f"{each}.gz").write_bytes(gzip.compress(lines, 1))
            rounds = await _measure(kind, Path(folder))
        wall, busy = (min(each) for each in zip(*rounds, strict=True))
        print(f"| {kind} | {_EVENTS / wall:,.0f} | {_EVENTS / busy:,.0f} |")


async def _measure(kind: str, folder: Path) -> list[tuple[float, float]]:
    """Return for each round the seconds and processor seconds in which all its events became safe."""
    settings = Settings(data=folder)
    async with collector(settings) as parts, open_store(settings) as redis:
        source = await parts.catalogue.add(check_form({"name": "x", "bridge": "web"}))
        positions = Positions(redis, Names(settings.namespace), source.id)
        calm_garbage_collection()
        rounds = []
        for archive in sorted(folder.glob("*.gz")):
            importer = Importer(
                parts.pipeline, positions, source, kind, FORMATS[kind], site="https://shop.example"
            )
            began, busy = time.perf_counter(), time.process_time()
            with Opened(str(archive)) as opened:
                position = await importer.run(opened, lambda _position: None)
            rounds.append((time.perf_counter() - began, time.process_time() - busy))
            if position.counts != {"stored": _EVENTS}:
                raise SystemExit(f"{kind}: {position}")
        return rounds


def _agent(number: int) -> str:
    version = 100 + number % 50
    return _AGENT.format(version, version)


def _message(number: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"m{number}",
        "anonymousId": f"v{number % 5000}",
        "properties": {"order": number, "total": 19.9, "currency": "EUR", "items": ["a", "b"]},
        "context": {
            "page": {"url": f"https://shop.example/shoes/{number % 1000}?utm_source=news", "title": "Shoes"},
            "userAgent": _agent(number),
            "ip": f"203.0.{number % 100}.7",
            "locale": "de-CH",
        },
        "originalTimestamp": "2025-10-10T11:55:30.000Z",
        "sentAt": "2025-10-10T11:55:31.000Z",
        "receivedAt": "2025-10-10T11:55:36.000Z",
        "timestamp": "2025-10-10T11:55:35.000Z",
    }


def _posthog(number: int) -> bytes:
    properties = {"$current_url": f"https://shop.example/{number % 1000}", "$lib": "web", "total": 19.9}
    row = {"uuid": f"u{number}", "event": "Order", "distinct_id": f"v{number % 5000}"}
    return orjson.dumps({**row, "timestamp": "2025-10-10T11:55:36Z", "properties": properties})


def _enriched(number: int) -> bytes:
    row = {
        "event": "page_view",
        "event_id": f"e{number}",
        "collector_tstamp": "2025-10-10 11:55:36.000",
        "dvce_created_tstamp": "2025-10-10 11:55:30.000",
        "domain_userid": f"v{number % 5000}",
        "page_url": f"https://shop.example/{number % 1000}",
        "useragent": _agent(number),
        "user_ipaddress": f"203.0.{number % 100}.7",
    }
    return "\t".join(row.get(name, "") for name in COLUMNS).encode()


def _log(number: int) -> bytes:
    at = datetime.fromtimestamp(_BEGAN + number // 50, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    request = f'"GET /shoes/{number % 1000} HTTP/1.1" 200 2326 "https://www.google.com/"'
    return f'203.0.{number % 100}.7 - - [{at}] {request} "{_agent(number)}"'.encode()


_WRITERS: dict[str, Callable[[int], bytes]] = {
    "native": lambda number: orjson.dumps(_message(number)),
    "segment": lambda number: orjson.dumps(_message(number)),
    "posthog": _posthog,
    "snowplow-enriched": _enriched,
    "log": _log,
}


if __name__ == "__main__":
    configure_logs("error")
    use_uvloop()
    asyncio.run(main())
