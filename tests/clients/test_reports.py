"""What Chromium itself reports of pages, by HTTPS and without, and the metrics of the web-vitals package."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web
from playwright.async_api import Error

from tests.clients.conftest import chromium_on
from tests.clients.faults import faulty_way
from tests.clients.record import record
from tests.clients.test_browsers import PAGES, site
from tests.clients.tls import certificate
from tests.conftest import until

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page

    from tests.clients.island import Island
    from tests.conftest import Running

SHOP = "shop.example"  # a network error is not reported of an address without a name


def headers_of(collector: str) -> dict[str, dict[str, str]]:
    """Return the headers of pages that report all they can, as docs/dialects.md has them."""
    group = {"group": "headwater", "max_age": 3600, "endpoints": [{"url": collector}]}
    network = {"report_to": "headwater", "max_age": 3600, "failure_fraction": 1.0}
    both = "img-src 'none'; report-uri {0}; report-to headwater"
    return {
        "/old": {"Content-Security-Policy": f"img-src 'none'; report-uri {collector}"},
        "/both": {
            "Reporting-Endpoints": f'headwater="{collector}", default="{collector}"',
            "Content-Security-Policy": both.format(collector),
        },
        "/": {
            "Reporting-Endpoints": f'headwater="{collector}", default="{collector}"',
            "Content-Security-Policy": both.format(collector),
            "Cross-Origin-Embedder-Policy-Report-Only": 'require-corp; report-to="headwater"',
            "Cross-Origin-Opener-Policy-Report-Only": 'same-origin; report-to="headwater"',
            "Integrity-Policy-Report-Only": "blocked-destinations=(script), endpoints=(headwater)",
            "Report-To": orjson.dumps(group).decode(),
            "NEL": orjson.dumps(network).decode(),
        },
    }


@asynccontextmanager
async def shop(
    packages: Path, collector: str, address: str, tls: ssl.SSLContext | None
) -> AsyncIterator[int]:
    """Serve the pages of a shop that reports to a collector; yield their port."""
    html = (
        (PAGES / "reports.html").read_text(encoding="utf-8").replace("@URL@", collector.partition("/r/")[0])
    )
    headers = headers_of(collector)

    async def page(request: web.Request) -> web.Response:
        if request.path not in headers:
            return web.Response(status=500)
        return web.Response(text=html, content_type="text/html", headers=headers[request.path])

    app = web.Application()
    app.add_routes([web.static("/packages", packages / "node_modules"), web.get("/{path:.*}", page)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, address, 0, ssl_context=tls).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_chromiums_reports_are_events(
    running: Running, packages: Path, place: Island, tmp_path: Path
) -> None:
    source = await running.add(privacy={"visitors": "cookie"})
    target = f"http://127.0.0.1:{running.parts.ports.public}"
    tls, trusted = certificate(tmp_path)
    names = f"--host-resolver-rules=MAP {SHOP} {place.address}, MAP * ~NOTFOUND, EXCLUDE {place.address}"
    wanted = {
        *("csp-violation", "deprecation", "intervention", "network-error", "integrity-violation"),
        *("coep", "coop", "crash"),
    }

    async with (
        faulty_way(target, (), place.address, tls) as way,
        shop(packages, f"{way.url}/r/{source.id}", place.address, tls) as port,
        chromium_on(place, tmp_path, trusted, names, "--short-reporting-delay") as chromium,
    ):
        page = await chromium.new_page()
        await page.goto(f"https://{SHOP}:{port}/?token=secret&utm_source=news")
        await page.evaluate(f"window.open('{way.url}/robots.txt')")

        async def coop_told() -> bool:
            return "coop" in {event["event"] for event in await running.events()}

        await until(coop_told, 30)
        with contextlib.suppress(Error):  # the page is gone
            await page.goto("chrome://crash")

        async def all_there() -> bool:
            return wanted <= {event["event"] for event in await running.events()}

        await until(all_there, 30)
        record(f"chromium {chromium.version}", way, source.id, "reports")

    events = await running.events()
    assert {event["event"] for event in events} == wanted
    assert "secret" not in str(events)
    assert not any({"anonymousId", "userId"} & event.keys() for event in events)
    found = {event["event"]: event for event in events}
    assert found["csp-violation"]["properties"]["blockedURL"] == "https://pictures.example/a.png"
    assert found["csp-violation"]["context"]["campaign"]["source"] == "news"
    assert found["network-error"]["properties"]["status_code"] == 500
    assert found["network-error"]["properties"]["url"].endswith("/bad")
    assert place.asked == set()


async def test_without_https_chromium_reports_by_report_uri_alone(
    running: Running, packages: Path, place: Island, page: Page
) -> None:
    source = await running.add()
    target = f"http://127.0.0.1:{running.parts.ports.public}"

    async with (
        faulty_way(target, (), place.address) as way,
        shop(packages, f"{way.url}/r/{source.id}", place.address, None) as port,
    ):
        await page.goto(f"http://{place.address}:{port}/both")  # report-to is preferred, and not possible
        await page.goto(f"http://{place.address}:{port}/old")
        await until(running.events, 30)

    (event,) = await running.events()
    assert event["context"]["page"]["path"] == "/old"
    assert event["properties"]["blockedURL"] == "https://pictures.example/a.png"
    assert place.asked == set()


async def test_the_web_vitals_packages_metrics_are_events(
    running: Running, packages: Path, place: Island, page: Page
) -> None:
    """web-vitals 6.2.3, alone and together, each metric once."""
    source = await running.add()
    target = f"http://127.0.0.1:{running.parts.ports.public}"
    html = (PAGES / "vitals.html").read_text(encoding="utf-8").replace("@KEY@", source.id)

    async with (
        faulty_way(target, (), place.address) as way,
        site(packages, html.replace("@URL@", way.url), place.address) as origin,
    ):
        for query in ("", "?together"):
            await page.goto(origin + "/" + query)
            await page.evaluate("new Promise(requestAnimationFrame)")
            await asyncio.sleep(0.3)
            await page.goto("about:blank")

        async def all_there() -> bool:
            return len(await running.events()) >= 8

        await until(all_there, 30)
        record("web-vitals 6.2.3", way, source.id, "reports")

    events = await running.events()
    assert {event["event"] for event in events} == {"Web Vitals"}
    values: dict[str, list[Any]] = {}
    for event in events:
        key = next(iter(event["properties"]))
        values.setdefault(key, []).append(event["properties"][key])
    assert {key: len(found) for key, found in values.items()} == dict.fromkeys(
        ("lcp", "fcp", "ttfb", "cls"), 2
    )
    assert all(event["context"]["page"]["url"].startswith(origin) for event in events)
    assert place.asked == set()
