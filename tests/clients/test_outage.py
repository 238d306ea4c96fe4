"""Clients that never send again lose nothing while Redis is away: the spool takes their events meanwhile."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from tests.clients.test_dialects import SERVERS
from tests.conftest import run_collector, until
from tests.faults.servers import Server

if TYPE_CHECKING:
    from collector.settings import Settings
    from tests.clients.island import Island
    from tests.conftest import Running

WIRE = Path(__file__).parent.parent / "wire"
# What these send is lost when it is not taken at once.
ONCE = ("@umami/node 0.4.0", "matomo-tracker 2.2.4", "ga4mp 2.0.4", "mixpanel 5.4.1", "mixpanel 0.24.0")
RECORDED = (
    "plausible-tracker-0.3.9",
    "plausible-analytics-tracker-0.4.6",
    "minimal-analytics-ga4-1.8.7",
    "snowplow-tracker-1.1.0-get",
)


async def test_who_never_sends_again_is_taken_while_redis_is_away(
    settings: Settings, packages: Path, place: Island, tmp_path: Path
) -> None:
    recordings = [orjson.loads((WIRE / "dialects" / f"{name}.json").read_bytes()) for name in RECORDED]
    sites = {SERVERS[client][1] for client in ONCE} | {golden["key"] for golden in recordings}
    server = Server(tmp_path / "redis").start()
    try:
        away = settings.model_copy(update={"redis_url": server.url, "redis_timeout_seconds": 1.0})
        async with run_collector(away) as running:
            await running.add(bridge="rest", settings={"sites": sorted(sites)})
            server.pause()
            ends = await asyncio.gather(*(ran(running, packages, place, client) for client in ONCE))
            answers = [
                await replayed(running, request) for each in recordings for request in each["requests"]
            ]
            server.go_on()

            async def all_there() -> bool:
                return len(asked_for(await running.events())) == 2 * (len(ONCE) + len(RECORDED))

            await until(all_there)
            events = asked_for(await running.events())
    finally:
        server.close()

    assert ends == [0] * len(ONCE)
    assert {status for status in answers if status >= 400} == set()
    wanted = Counter(SERVERS[client][1].partition(":")[0] for client in ONCE)
    wanted += Counter(golden["key"].partition(":")[0] for golden in recordings)
    for kind in ("page", "track"):
        assert Counter(each["collector"]["protocol"] for each in events if each["type"] == kind) == wanted
    assert place.asked == set()


async def ran(running: Running, packages: Path, place: Island, client: str) -> int:
    """Run a client and return how it ended."""
    command, name, _ = SERVERS[client]
    url, site = f"http://{place.address}:{running.parts.ports.public}", name.partition(":")[2]
    words = (command if "{url}" in command else command + " {url} {site}").format(url=url, site=site)
    process = await asyncio.create_subprocess_exec(
        *place.enter, *words.split(), cwd=packages, env=place.environment
    )
    return await asyncio.wait_for(process.wait(), 90)


async def replayed(running: Running, request: dict[str, Any]) -> int:
    """Send what was recorded of a page, whose browser will not ask again."""
    answer = await running.public.request(
        request["method"],
        request["path"],
        data=base64.b64decode(request["body"]),
        headers=request["headers"],
    )
    return answer.status


def asked_for(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event.get("event") not in {"engagement", "user_engagement"}]
