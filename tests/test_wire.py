"""What real clients sent, kept as golden requests: each is understood the same today, without the clients."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from collector.sources.keys import add_key

if TYPE_CHECKING:
    from tests.conftest import Running

GOLDEN = sorted(
    path for path in (Path(__file__).parent / "wire" / "servers").glob("*.json") if "github" not in path.name
)
DIALECTS = sorted((Path(__file__).parent / "wire" / "dialects").glob("*.json"))
UNASKED = {"tick", "engagement", "user_engagement"}
COMMON = {"alias", "group", "identify", "page", "track"}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
async def test_a_recorded_client_is_understood(running: Running, path: Path) -> None:
    golden = orjson.loads(path.read_bytes())
    source = await running.add(bridge="rest")
    await add_key(running.parts.catalogue, source.id, key=golden["key"])

    for _ in range(2):  # as if every answer had been lost
        for request in golden["requests"]:
            answer = await send(running, request)
            assert (answer.status, await answer.json()) == (200, {"success": True})

    events = {event["type"]: event for event in await running.events()}
    assert len(await running.events()) == len(events)
    assert set(events) - {"screen"} == COMMON
    assert events["track"]["event"] == "Call Ended"
    assert events["group"]["groupId"] == "g1"
    assert events["identify"]["userId"] == "u1"


@pytest.mark.parametrize("path", DIALECTS, ids=lambda path: path.stem)
async def test_a_recorded_client_of_another_system_is_understood(running: Running, path: Path) -> None:
    golden = orjson.loads(path.read_bytes())
    await running.add(settings={"sites": [golden["key"]]})
    times = (
        2 if golden["key"].startswith(("posthog", "snowplow", "amplitude")) else 1
    )  # those have ids, and send again

    for request in golden["requests"] * times:
        assert (await send(running, request)).status in {200, 202, 204}

    events = [each for each in await running.events() if each.get("event") not in UNASKED]
    assert sorted(event["type"] for event in events) == ["page", "track"]
    (call,) = (event for event in events if event["type"] == "track")
    assert call["event"].replace("_", " ").title() == "Call Ended"


async def send(running: Running, request: dict[str, Any]) -> Any:
    return await running.public.request(
        request["method"],
        request["path"],
        data=base64.b64decode(request["body"]),
        headers=request["headers"],
    )
