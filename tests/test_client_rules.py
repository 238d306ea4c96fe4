"""What breaks real clients when it is not kept, rule by rule: answers, encodings, headers, times."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from collector.sources.keys import add_key
from tests.conftest import run_collector, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from collector.settings import Settings
    from tests.conftest import Running

PAGE = {"Origin": "https://shop.example"}
CALL = {"type": "track", "event": "Call Ended", "userId": "u1"}


async def rest_key(running: Running) -> str:
    source = await running.add(bridge="rest")
    return await add_key(running.parts.catalogue, source.id)


async def send(running: Running, body: Any, path: str = "/v1/batch", **headers: str) -> Any:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await running.public.post(path, data=data, headers={**PAGE, **named})


PATHS = ["/v1/track", "/v1/t", "/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch", "/api/s/track"]


@pytest.mark.parametrize("path", PATHS)
async def test_success_is_exactly_200(running: Running, path: str) -> None:
    """On 202 and 204 analytics-python, Rudder's and PostHog's clients send again."""
    batch = {"batch": [CALL]} if path.endswith(("batch", "b")) else CALL
    answer = await send(running, {**batch, "writeKey": await rest_key(running)}, path)

    assert answer.status == 200
    assert await answer.read()


BAD = {
    "no key": (CALL, {}),
    "no JSON": (b"{broken", {}),
    "brotli": (b"\x0b\x02", {"Content_Encoding": "br"}),
    "zstd": (b"\x28\xb5\x2f\xfd", {"Content_Encoding": "zstd"}),
    "gzip in gzip": (gzip.compress(gzip.compress(b"{}")), {"Content_Encoding": "gzip, gzip"}),
    "gzip that ends early": (gzip.compress(b"{}" * 99)[:-9], {"Content_Encoding": "gzip"}),
    "a bomb": (gzip.compress(b" " * 50_000_000), {"Content_Encoding": "gzip"}),
    "a bomb without a label": (gzip.compress(b" " * 50_000_000), {"Content_Type": "text/plain"}),
    "no event": ({"batch": [1]}, {}),
}


@pytest.mark.parametrize("bad", BAD)
async def test_an_error_has_a_code_and_a_message_and_can_be_read_by_pages(running: Running, bad: str) -> None:
    """analytics-python takes any other JSON for a fault of the network and tries again."""
    body, headers = BAD[bad]
    if bad != "no key":
        headers = {**headers, "Authorization": f"Bearer {await rest_key(running)}"}

    answer = await send(running, body, **headers)

    assert 400 <= answer.status < 500
    told = await answer.json()
    assert told["code"]
    assert told["message"]
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


async def test_overload_is_503_with_a_wait_that_pages_can_read(settings: Settings, tmp_path: Path) -> None:
    """analytics-next waits as told only when Retry-After is exposed."""
    away = {"redis_url": f"unix://{tmp_path}/none.sock", "spool_free_bytes": 2**60}
    async with run_collector(settings) as running:
        key = await rest_key(running)
        snapshot = settings.data / "sources.snapshot"

        async def saved() -> bool:
            return snapshot.exists() and b"key" in snapshot.read_bytes()

        await until(saved)
    async with run_collector(settings.model_copy(update=away)) as running:
        answer = await send(running, {"batch": [CALL], "writeKey": key})

        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
        assert (await answer.json())["code"] == "stream_unavailable"


ASKED = "authorization, content-type, x-retry-count, anonymousid, sentat, rsa-retry-attempt"


@pytest.mark.parametrize(
    "path", [*PATHS, "/track", "/collect/a/b", "/sourceConfig/", "/v1/projects/k/settings"]
)
async def test_a_preflight_gets_what_it_asks_for_and_is_remembered(running: Running, path: str) -> None:
    """Retries carry headers that the first try had not; each path is asked for separately."""
    headers = {**PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": ASKED}

    answer = await running.public.options(path, headers=headers)

    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Headers"] == ASKED
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]
    assert int(answer.headers["Access-Control-Max-Age"]) >= 3600


@pytest.mark.parametrize(
    "header", ["Bearer None", "Bearer", "Basic", "Basic !!!", "Basic Og==", "Digest x", "Bearer \xfc"]
)
async def test_an_authorization_that_nobody_needs_does_no_harm(running: Running, header: str) -> None:
    answer = await send(running, {"batch": [CALL], "writeKey": await rest_key(running)}, Authorization=header)

    assert answer.status == 200


async def test_an_event_that_was_sent_before_it_was_made_keeps_its_time(running: Running) -> None:
    """Some clients round the time of sending down to the second."""
    made, sent = "2026-01-02T03:04:05.900Z", "2026-01-02T03:04:05.000Z"
    event = {**CALL, "timestamp": made}

    await send(running, {"batch": [event], "sentAt": sent, "writeKey": await rest_key(running)})

    (stored,) = await running.events()
    assert (stored["originalTimestamp"], stored["sentAt"]) == (made, sent)
    assert stored["timestamp"] > stored["receivedAt"]


async def test_long_addresses_and_headers_are_read(running: Running) -> None:
    """The limit of aiohttp itself is 8 kB a line."""
    source = await running.add(bridge="webhook", settings={"event": "{header.x-long}"})

    answer = await running.public.get(f"/h/{source.id}?text={'x' * 15_000}", headers={"X-Long": "y" * 15_000})

    assert answer.status == 200
    (event,) = await running.events()
    assert len(event["properties"]["text"]) == 15_000


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
async def test_latin_1_in_a_header_and_halves_of_characters_are_stored_as_utf_8(
    running: Running, pack: Any
) -> None:
    key = await rest_key(running)
    body = b'{"batch":[{"type":"track","event":"a\\ud83d","userId":"u\\udc00","properties":{"\\ud800":1}}]}'
    encoding = "gzip" if pack is gzip.compress else "deflate"

    answer = await send(
        running, pack(body), Authorization=f"Bearer {key}", Content_Encoding=encoding, User_Agent="\udcfc"
    )

    assert answer.status == 200
    (event,) = await running.events()
    assert (event["event"], event["userId"], event["properties"]) == ("a\ufffd", "u\ufffd", {"\ufffd": 1})


async def test_who_leaves_an_import_makes_no_fault(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    key = await rest_key(running)
    begun = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield orjson.dumps({**CALL, "messageId": "m1"}) + b"\n" + b" \n" * 9
        begun.set()
        await asyncio.sleep(60)

    sending = asyncio.create_task(
        running.public.post("/v1/import", data=body(), headers={"Authorization": f"Bearer {key}"})
    )
    await begun.wait()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)

    assert (await send(running, {"batch": [CALL], "writeKey": key})).status == 200
    assert [row for row in caplog.records if row.levelname == "ERROR"] == []
