"""The public door beside the bridges: health, unknown paths, methods, preflights, Redis away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.stream.feed import REFUSED, Feed
from tests.conftest import run_collector

if TYPE_CHECKING:
    from pathlib import Path

    from redis.asyncio import Redis

    from collector.settings import Settings
    from tests.conftest import Running

BOTH_WAYS = True


async def test_health_readiness_version_and_robots(running: Running) -> None:
    assert await (await running.public.get("/healthz")).text() == "ok\n"
    ready = await running.public.get("/readyz")
    assert (ready.status, (await ready.json())["ready"]) == (200, True)
    assert (await (await running.public.get("/version")).json())["name"] == "headwater"
    assert "Disallow: /" in await (await running.public.get("/robots.txt")).text()


async def test_a_collector_that_drains_is_not_ready(running: Running) -> None:
    running.parts.health.draining = True

    assert (await running.public.get("/readyz")).status == 503
    assert (await running.public.get("/healthz")).status == 200


async def test_an_unknown_path_is_404_and_a_wrong_method_405_with_what_is_allowed(running: Running) -> None:
    source = await running.add()

    unknown = await running.public.get("/admin")
    wrong = await running.public.put(f"/e/{source.id}")

    assert (unknown.status, unknown.headers["X-Headwater-Reason"]) == (404, "not_found")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "OPTIONS, POST")


async def test_what_finds_no_path_or_no_tracker_stands_among_the_refusals_without_its_keys(
    running: Running, redis: Redis
) -> None:
    """A site whose address is wrong hears nothing of it: its owner does, in the console."""
    for path in ("/s/nobody.js", "/in/s/nobody.js", "/favicon.ico"):
        await running.public.get(path)
    await running.public.post("/events/SECRET", data="{}")

    await running.parts.pipeline.refused.flush()
    told = [each.body for each in await Feed(redis, running.names, 1).last(None, [REFUSED], 9)]

    assert [(each["reason"], each["where"]) for each in told] == [
        ("not_found", "POST /events/…"),
        ("not_found", "GET /in/…"),
        ("unknown_source", "GET /s/nobody.js"),
    ]


async def test_a_preflight_is_answered_as_the_source_allows(running: Running) -> None:
    source = await running.add(settings={"origins": ["https://shop.example"]})
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type, x-a"}

    good = await running.public.options(
        f"/e/{source.id}", headers={"Origin": "https://shop.example", **asked}
    )
    bad = await running.public.options(f"/e/{source.id}", headers={"Origin": "https://evil.example", **asked})

    assert good.status == 204
    assert good.headers["Access-Control-Allow-Headers"] == "content-type, x-a"
    assert (bad.status, bad.headers["X-Headwater-Reason"]) == (403, "origin_forbidden")


async def test_no_answer_names_the_server_software(running: Running) -> None:
    for path in ("/healthz", "/nothing", "/s/nobody.js"):
        assert "aiohttp" not in (await running.public.get(path)).headers.get("Server", "")


async def test_a_prefix_stands_in_front_of_every_path(settings: Settings) -> None:
    async with run_collector(settings.model_copy(update={"path_prefix": "/in"})) as running:
        source = await running.add()

        assert (await running.public.get(f"/in/s/{source.id}.js")).status == 200
        assert (await running.public.get(f"/s/{source.id}.js")).status == 404


async def test_refusals_are_counted_and_shown_in_their_stream(running: Running) -> None:
    source = await running.add()

    await running.post(source.id, b"nonsense")
    metrics = await (await running.console.get("/metrics")).text()

    assert f'headwater_refusals_total{{reason="not_json",source="{source.id}"}} 1.0' in metrics


async def test_readiness_says_that_redis_is_away(settings: Settings, tmp_path: Path) -> None:
    away = settings.model_copy(update={"redis_url": f"unix://{tmp_path}/nothing.sock"})
    async with run_collector(away) as running:
        ready = await running.public.get("/readyz")

        assert ready.status == 503
        assert (await ready.json())["checks"]["redis"] != "ok"
