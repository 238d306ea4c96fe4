"""Imports through the real door: any form of body, every line's outcome, time and memory for large ones."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from aiohttp import ClientSession

from collector.sources.keys import add_key
from tests.conftest import run_collector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collector.settings import Settings
    from tests.conftest import Running

CALL = {"type": "track", "event": "Call Ended", "userId": "u1"}
MEGABYTE = 1024 * 1024


async def rest_key(running: Running) -> str:
    source = await running.add(bridge="rest")
    return await add_key(running.parts.catalogue, source.id)


async def send(running: Running, body: Any, **headers: str) -> tuple[int, list[Any]]:
    answer = await running.public.post("/v1/import", data=body, headers=headers)
    return answer.status, [orjson.loads(line) for line in (await answer.read()).splitlines()]


def events(count: int) -> list[dict[str, Any]]:
    return [{**CALL, "messageId": f"m{number}"} for number in range(count)]


DONE = {"done": True, "lines": 2, "stored": 2, "duplicate": 0, "checked": 0, "refused": 0}
SUCCESS = {"success": True}


def a_line_each(rows: list[Any]) -> bytes:
    return b"\n".join(map(orjson.dumps, rows))


def a_batch(rows: list[Any], **options: Any) -> bytes:
    return orjson.dumps({"batch": rows, "writeKey": rows[0]["writeKey"]}, **options)


INDENTED = {"option": orjson.OPT_INDENT_2}
BODIES = [
    (a_line_each, {}, DONE),
    (a_batch, {}, SUCCESS),
    (a_batch, INDENTED, SUCCESS),
    (orjson.dumps, {}, SUCCESS),
    (orjson.dumps, INDENTED, SUCCESS),
]


async def test_a_line_that_was_received_elsewhere_keeps_its_time(running: Running) -> None:
    key = await rest_key(running)
    times = {
        "originalTimestamp": "2025-10-10T11:55:30.000Z",
        "sentAt": "2025-10-10T11:55:31.000Z",
        "receivedAt": "2025-10-10T11:55:36.000Z",
    }

    await send(running, orjson.dumps({**CALL, **times, "writeKey": key}))

    (event,) = await running.events()
    assert event["timestamp"] == "2025-10-10T11:55:35.000Z"
    assert event["receivedAt"] > "2026"


@pytest.mark.parametrize(("write", "options", "expected"), BODIES)
async def test_the_write_key_may_stand_in_the_body(
    running: Running, write: Any, options: Any, expected: Any
) -> None:
    key = await rest_key(running)
    rows = [{**row, "writeKey": key} for row in events(2)]

    status, lines = await send(running, write(rows, **options))

    assert (status, lines[-1]) == (200, expected)
    stored = await running.events()
    assert [event["messageId"] for event in stored] == ["m0", "m1"]
    assert key not in orjson.dumps(stored).decode()


async def test_one_event_over_many_lines_is_one_line(running: Running) -> None:
    event = orjson.dumps({**CALL, "writeKey": await rest_key(running)}, option=orjson.OPT_INDENT_2)

    _, lines = await send(running, event)

    assert lines[-1]["lines"] == lines[-1]["stored"] == 1


@pytest.mark.parametrize("key", ["", "wk_unknown"])
async def test_a_body_without_a_known_key_is_refused(running: Running, key: str) -> None:
    status, (answer,) = await send(running, orjson.dumps({**CALL, "writeKey": key}))

    assert (status, answer["code"]) == (401, "unknown_key")


async def test_what_follows_a_batch_is_not_lost_in_silence(running: Running) -> None:
    batch = orjson.dumps({"batch": events(1), "writeKey": await rest_key(running)})

    status, (answer,) = await send(running, batch + b"\n" + batch)

    assert (status, answer["code"]) == (400, "bad_request")
    assert await running.events() == []


async def test_a_broken_first_line_is_refused_with_its_number(running: Running) -> None:
    key = await rest_key(running)

    _, lines = await send(running, b'{"type":\n' + orjson.dumps(CALL), Authorization=f"Bearer {key}")

    assert [row["line"] for row in lines[0]["refused"]] == [1]
    assert lines[-1]["stored"] == 1


async def test_lines_that_are_in_memory_only_are_called_accepted(settings: Settings) -> None:
    async with run_collector(settings.model_copy(update={"ack": "memory"})) as running:
        rows = [{**row, "writeKey": await rest_key(running)} for row in events(2)]

        _, lines = await send(running, b"\n".join(map(orjson.dumps, rows)))

        assert lines[-1] == {**DONE, "stored": 0, "accepted": 2}


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[tuple[str, int]]:
    """Run `headwater serve` on the test's server and namespace; yield its address and process id."""
    arguments = ("serve", "--port", "0", "--console-port", "0", "--data", str(settings.data))
    given = {"HEADWATER_REDIS_URL": settings.redis_url, "HEADWATER_NAMESPACE": settings.namespace}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "collector", *arguments),
        env={"PATH": os.environ["PATH"], **given},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout
    try:
        async with asyncio.timeout(60):
            while not (found := re.match(rb"Collecting at +(\S+)", await process.stdout.readline())):
                pass
        yield found[1].decode(), process.pid
    finally:
        process.terminate()
        await process.wait()


def peak_memory(pid: int) -> int:
    """Return the most memory that a process has ever held, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


async def test_a_hundred_megabytes_take_little_memory(settings: Settings, running: Running) -> None:
    """The collector has a process of its own, so that its memory can be told from the test's."""
    key = await rest_key(running)
    text = "x" * 3900

    async def body() -> AsyncIterator[bytes]:
        """A hundred megabytes, never held whole: every event but one has been seen before."""
        line = orjson.dumps({**CALL, "messageId": "m1", "properties": {"text": text}}) + b"\n"
        for _ in range(100 * MEGABYTE // len(line) // 100):
            yield line * 100

    async with served(settings) as (address, pid), ClientSession(address) as client:
        before = peak_memory(pid)
        headers = {"Authorization": f"Bearer {key}"}
        async with client.post("/v1/import", data=body(), headers=headers) as answer:
            rows = [orjson.loads(line) async for line in answer.content]
        used = peak_memory(pid) - before

    assert (rows[-1]["done"], rows[-1]["stored"], rows[-1]["refused"]) == (True, 1, 0)
    assert rows[-1]["lines"] > 25_000
    assert len(await running.events()) == 1
    assert used < 64 * MEGABYTE
