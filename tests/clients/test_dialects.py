"""Other systems' clients, unmodified: each event once, whatever happens on the way, and no vendor asked."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.clients.faults import FAULTS, faulty_way
from tests.clients.record import record, recording
from tests.clients.test_browsers import PAGES, site
from tests.clients.tls import certificate
from tests.conftest import until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

    from tests.clients.island import Island
    from tests.conftest import Running

PYTHON, NODE = f"{sys.executable} send/send_", "node send/send_dialects.mjs "
TOKEN = "phc_0123456789abcdef"  # noqa: S105 - a public one
AMPLITUDE = "amplitude:0123456789abcdef0123456789abcdef"
MIXPANEL = "mixpanel:fedcba9876543210fedcba9876543210"
# Clients that never send again meet no faults: what is lost on their way is lost.
SERVERS: dict[str, tuple[str, str, tuple[int | str, ...]]] = {
    "@umami/node 0.4.0": (NODE + "umami", "umami:b1c2d3e4-0000-4000-8000-000000000001", ()),
    "matomo-tracker 2.2.4": (NODE + "matomo", "matomo:37", ()),
    "ga4mp 2.0.4": (PYTHON + "ga4.py {url} {site}", "ga4:G-TEST123", ()),
    # Amplitude's for servers take what a broken connection carried for lost, and do not send it again.
    "amplitude-analytics 1.3.0": (PYTHON + "amplitude.py {url} {site}", AMPLITUDE, (503, 503, 429)),
    "@amplitude/analytics-node 1.5.73": (NODE + "amplitude", AMPLITUDE, (503, 503, 429)),
    # It sends again over HTTPS only.
    "mixpanel 5.4.1": (PYTHON + "mixpanel.py {url} {site}", MIXPANEL, ()),
    "mixpanel 5.4.1, HTTPS": (PYTHON + "mixpanel.py {url} {site}", MIXPANEL, (503, 503, "cut")),
    "mixpanel 0.24.0": (NODE + "mixpanel", MIXPANEL, ()),
    "posthog-node 5.70.0": (NODE + "posthog", f"posthog:{TOKEN}", FAULTS),
    "posthog 7.91.1": (PYTHON + "posthog.py {url} {site} v0", f"posthog:{TOKEN}", FAULTS),
    "posthog 7.91.1, v1": (PYTHON + "posthog.py {url} {site} v1", f"posthog:{TOKEN}", (503, "cut")),
    "posthog 3.5.0": (PYTHON + "posthog_older.py {apart} {url} {site}", f"posthog:{TOKEN}", (503, "cut")),
    "snowplow-tracker 1.1.0": (PYTHON + "snowplow.py {url} {site} post", "snowplow:shop-app", FAULTS),
    "snowplow-tracker 1.1.0, GET": (PYTHON + "snowplow.py {url} {site} get", "snowplow:shop-app", ()),
}
UNASKED = {"tick", "engagement", "user_engagement"}


@pytest.mark.parametrize("client", SERVERS)
async def test_a_server_clients_events_are_in_the_stream_exactly_once(
    running: Running, packages: Path, apart: Path, place: Island, tmp_path: Path, client: str
) -> None:
    command, name, faults = SERVERS[client]
    tls = certificate(tmp_path)[0] if client.endswith("HTTPS") else None
    await running.add(bridge="rest", settings={"sites": [name]})
    key = name.partition(":")[2]
    target = f"http://127.0.0.1:{running.parts.ports.public}"

    async with faulty_way(target, () if recording() else faults, place.address, tls) as way:
        words = (command if "{url}" in command else command + " {url} {site}").format(
            url=way.url, site=key, apart=apart
        )
        process = await asyncio.create_subprocess_exec(
            *place.enter, *words.split(), cwd=packages, env=place.environment
        )
        assert await asyncio.wait_for(process.wait(), 90) == 0
        assert way.all_met
        record(client, way, name, "dialects")

    check(await running.events())
    assert place.asked == set()


BROWSERS: dict[str, tuple[str, str, str, str, tuple[int | str, ...]]] = {
    "posthog-js 1.449.2": (
        "posthog.html",
        "posthog-js",
        "dist/module.js",
        f"posthog:{TOKEN}",
        (503, "cut"),
    ),
    "posthog-js 1.100.0": (
        "posthog.html",
        "posthog-js-older",
        "dist/es.js",
        f"posthog:{TOKEN}",
        (503, "cut"),
    ),
    "@plausible-analytics/tracker 0.4.6": (
        "plausible.html",
        "@plausible-analytics/tracker",
        "plausible.js",
        "plausible:shop.example",
        (),
    ),
    "@minimal-analytics/ga4 1.8.7": (
        "ga4.html",
        "@minimal-analytics/ga4",
        "dist/index.js",
        "ga4:G-TEST123",
        (),
    ),
    "@amplitude/analytics-browser 2.48.1": (
        "amplitude.html",
        "@amplitude/analytics-browser",
        "lib/scripts/amplitude-min.umd.js",
        AMPLITUDE,
        FAULTS,
    ),
    "mixpanel-browser 2.83.0": (
        "mixpanel.html",
        "mixpanel-browser",
        "dist/mixpanel.umd.js",
        MIXPANEL,
        FAULTS,
    ),
    "plausible-tracker 0.3.9": (
        "plausible-older.html",
        "plausible-tracker",
        "build/module/index.js",
        "plausible:shop.example",
        (),
    ),
    "@snowplow/browser-tracker 4.10.1": (
        "snowplow.html",
        "@snowplow/browser-tracker",
        "dist/index.umd.min.js",
        "snowplow:shop-app",
        FAULTS,
    ),
    "@snowplow/browser-tracker 3.24.6": (
        "snowplow.html",
        "snowplow-browser-tracker-older",
        "dist/index.umd.min.js",
        "snowplow:shop-app",
        FAULTS,
    ),
}


@pytest.mark.parametrize("client", BROWSERS)
async def test_a_pages_events_are_in_the_stream_exactly_once(
    running: Running, packages: Path, page: Page, place: Island, client: str
) -> None:
    name, package, build, site_id, faults = BROWSERS[client]
    await running.add(settings={"sites": [site_id]}, privacy={"visitors": "cookie"})
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).hostname or ""))
    target = f"http://127.0.0.1:{running.parts.ports.public}"

    async with faulty_way(target, () if recording() else faults, place.address) as way:
        html = (PAGES / name).read_text(encoding="utf-8")
        words = {"PACKAGE": package, "BUILD": build, "KEY": site_id.partition(":")[2], "URL": way.url}
        for word, value in words.items():
            html = html.replace(f"@{word}@", value)
        async with site(packages, html, place.address) as origin:
            await page.goto(f"{origin}/?utm_source=news")

            async def all_there() -> bool:
                return len(asked_for(await running.events())) == 2 and way.all_met

            await until(all_there, 60)
            await page.goto("about:blank")
            record(client, way, site_id, "dialects")

    events = await running.events()
    ids = [event["messageId"] for event in events]
    assert len(ids) == len(set(ids))
    view, _ = check(asked_for(events))
    assert view["context"]["campaign"]["source"] == "news"
    assert view["context"]["browser"]["name"] in {"Chrome", "HeadlessChrome"}
    assert asked <= {place.address, ""}
    assert place.asked == set()


def asked_for(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events that the page asked for; some scripts tell of engagement by themselves."""
    return [event for event in events if event.get("event") not in UNASKED]


def check(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A page view and an event are there, once each, in their shape; return both in this order."""
    both = sorted(events, key=lambda event: str(event["type"]))
    assert [event["type"] for event in both] == ["page", "track"]
    view, call = both
    assert view["context"]["page"]["url"]
    assert call["event"].replace("_", " ").title() == "Call Ended"
    assert "312" in {str(value) for value in call["properties"].values()}
    return both
