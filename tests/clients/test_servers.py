"""Real server clients, unmodified: each event once, whatever happens on the way, and no vendor asked."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest

from collector.sources.keys import add_key
from tests.clients.faults import FAULTS, faulty_way
from tests.clients.record import record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.island import Island
    from tests.conftest import Running

PYTHON, NODE = f"{sys.executable} send/send_", "node send/send_"
CLIENTS = {
    "segment-analytics-python 2.4.0": PYTHON + "segment.py {url} {key} plain",
    "segment-analytics-python 2.4.0, gzip": PYTHON + "segment.py {url} {key} gzip",
    "analytics-python 1.4.post1": PYTHON + "analytics.py {apart} {url} {key}",
    "rudder-sdk-python 2.1.9": PYTHON + "rudder.py {url} {key}",
    "@segment/analytics-node 3.1.0": NODE + "segment.mjs @segment/analytics-node {url} {key}",
    "@segment/analytics-node 1.3.0": NODE + "segment.mjs analytics-node-older {url} {key}",
    "@rudderstack/rudder-sdk-node 3.0.13": NODE + "rudder.mjs {url} {key}",
}
TYPES = ["alias", "group", "identify", "page", "screen", "track"]


@pytest.mark.parametrize("faults", [(), FAULTS], ids=["a good way", "faults on the way"])
@pytest.mark.parametrize("client", CLIENTS)
async def test_every_event_of_a_client_is_in_the_stream_exactly_once(
    running: Running, packages: Path, apart: Path, place: Island, client: str, faults: tuple[int | str, ...]
) -> None:
    source = await running.add(bridge="rest")
    key = await add_key(running.parts.catalogue, source.id)
    target = f"http://127.0.0.1:{running.parts.ports.public}"

    async with faulty_way(target, faults, place.address) as way:
        command = CLIENTS[client].format(url=way.url, key=key, apart=apart).split()
        process = await asyncio.create_subprocess_exec(
            *place.enter, *command, cwd=packages, env=place.environment
        )
        assert await asyncio.wait_for(process.wait(), 90) == 0
        assert way.all_met
        record(client, way, key)

    events = {event["type"]: event for event in await running.events()}
    assert sorted(event["type"] for event in await running.events()) == TYPES
    check_contents(events)
    assert place.asked == set()


def check_contents(events: dict[str, dict[str, Any]]) -> None:
    """Ids, names, times and pages are where they belong."""
    assert {event["userId"] for event in events.values()} == {"u1"}
    assert all(event["messageId"] and event["originalTimestamp"] for event in events.values())
    assert all(event["context"]["library"]["name"] for event in events.values())
    assert events["track"]["event"] == "Call Ended"
    assert events["track"]["properties"] == {"seconds": 312, "reason": "billing"}
    assert events["page"]["name"] == "Home"
    assert events["page"]["properties"]["category"] == "Docs"
    assert events["page"]["context"]["page"]["path"] == "/docs"
    assert events["identify"]["traits"] == {"plan": "pro"}
    assert (events["group"]["groupId"], events["group"]["traits"]) == ("g1", {"name": "ACME"})
    assert events["alias"]["previousId"] == "old"


async def test_tracardis_python_client_is_taken_as_it_is(
    running: Running, packages: Path, apart: Path, place: Island
) -> None:
    """tracardi-track-client 0.7.3; its source id is a write key."""
    source = await running.add(bridge="rest")
    key = await add_key(running.parts.catalogue, source.id, key="3fa85f64-5717-4562-b3fc-2c963f66afa6")
    url = f"http://{place.address}:{running.parts.ports.public}"
    command = f"{PYTHON}tracardi.py {apart} {url} {key}".split()

    process = await asyncio.create_subprocess_exec(
        *place.enter, *command, cwd=packages, env=place.environment
    )
    assert await asyncio.wait_for(process.wait(), 60) == 0

    page, purchase = await running.events()
    assert (page["type"], purchase["type"], purchase["event"]) == ("page", "track", "purchase")
    assert {event["anonymousId"] for event in (page, purchase)} == {"p1"}
    assert (purchase["sessionId"], purchase["properties"]) == ("s1", {"total": 3})
    assert place.asked == set()
