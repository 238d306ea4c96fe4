"""Browser reports and web-vitals beacons at the public door: shape, time, whose they are, clean addresses."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from collector.protocols.reports import NAMES_OF_LEGACY
from tests.test_dialects import HOSTILE, PAGE, messages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Running

LEGACY = {
    "document-uri": "https://shop.example/a?token=secret&utm_source=news",
    "referrer": "",
    "violated-directive": "img-src",
    "effective-directive": "img-src",
    "original-policy": "img-src 'none'",
    "disposition": "enforce",
    "blocked-uri": "https://x.example/a.png?token=secret",
    "line-number": 4,
    "column-number": 18,
    "source-file": "https://shop.example/a?token=secret",
    "status-code": 200,
    "script-sample": "",
}
AGENT = PAGE["User-Agent"]
URL = "https://shop.example/a?token=secret"
REPORTS: list[dict[str, Any]] = [
    {
        "type": "csp-violation",
        "age": 91,
        "url": URL,
        "user_agent": AGENT,
        "body": {"blockedURL": "https://x.example/a.png?token=secret", "lineNumber": 4},
    },
    {"type": "deprecation", "age": 0, "url": URL, "body": {"id": "UnloadHandler", "sourceFile": URL}},
    {"type": "intervention", "age": 5, "url": URL, "body": {"message": "Blocked"}},
    {"type": "crash", "age": 5, "url": URL, "body": {"reason": "oom"}},
    {"type": "crash", "age": 5, "url": 7, "more": True},
    {"type": "coep", "age": 83, "url": URL, "body": {"type": "corp", "blockedURL": "https://x.example/i"}},
    {
        "type": "network-error",
        "age": 71,
        "url": "https://shop.example/bad",
        "body": {"type": "http.error", "phase": "application", "referrer": URL, "status_code": 500},
    },
]


def again(message: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report as it can be made again from what is stored."""
    context, body = message["context"], dict(message.get("properties", {}))
    page = context.get("page", {}).get("url")
    url = body.pop("url", None) if message["event"] == "network-error" else page
    placed = {"type": message["event"], "url": url, "user_agent": context.get("userAgent"), "body": body}
    return {key: context["reports"].get(key, placed.get(key)) for key in item}


@pytest.mark.parametrize("item", REPORTS)
def test_nothing_of_a_report_is_lost(item: dict[str, Any]) -> None:
    (message,) = messages("reports", [item], "/r/web1")

    assert again(message, item) == item


def test_nothing_of_a_violation_by_its_old_name_is_lost() -> None:
    (message,) = messages("reports", {"csp-report": LEGACY}, "/r/web1")

    properties = message["properties"]
    assert {key: properties[NAMES_OF_LEGACY.get(key, key)] for key in LEGACY} == LEGACY
    assert (message["event"], message["context"]["page"]["url"]) == ("csp-violation", LEGACY["document-uri"])


async def test_reports_are_nobodys_and_their_addresses_are_cleaned(running: Running) -> None:
    source = await running.add(privacy={"visitors": "cookie", "address": "network"})
    legacy = orjson.dumps({"csp-report": LEGACY})

    old = await running.public.post(
        f"/r/{source.id}", data=legacy, headers={**PAGE, "Content-Type": "application/csp-report"}
    )
    new = await running.public.post(f"/r/{source.id}", json=REPORTS, headers=PAGE)

    assert [answer.status for answer in (old, new)] == [204, 204]
    events = await running.events()
    assert [event["event"] for event in events] == ["csp-violation", *(item["type"] for item in REPORTS)]
    assert "secret" not in str(events)
    assert not any(
        {"anonymousId", "userId", "sessionId"} & event.keys() or "ip" in event["context"] for event in events
    )
    assert events[0]["properties"]["blockedURL"] == "https://x.example/a.png"
    assert events[0]["context"]["page"]["path"] == "/a"
    assert events[0]["context"]["campaign"]["source"] == "news"
    assert events[0]["context"]["browser"]["name"] == "Firefox"
    assert events[-1]["properties"]["url"] == "https://shop.example/bad"
    waited = events[1]
    assert waited["originalTimestamp"] == waited["timestamp"] < waited["receivedAt"]


async def test_reports_come_only_from_the_sources_origins_and_to_a_source(running: Running) -> None:
    source = await running.add(settings={"origins": ["https://shop.example"]})
    foreign = {**PAGE, "Origin": "https://x.example"}

    for path in (f"/r/{source.id}", f"/v/{source.id}"):
        assert (await running.public.post(path, json=[], headers=foreign)).status == 403
    assert (await running.public.post("/r/nosuch", json=REPORTS, headers=PAGE)).status == 404
    preflight = {**PAGE, "Access-Control-Request-Headers": "content-type"}
    asked = await running.public.options(f"/r/{source.id}", headers=preflight)
    assert (asked.status, asked.headers["Access-Control-Allow-Headers"]) == (204, "content-type")


METRIC = {
    "name": "LCP",
    "value": 1204.5,
    "rating": "good",
    "delta": 1204.5,
    "entries": [{"name": "https://shop.example/a?token=secret"}],
    "id": "v5-1767323000000-1234567890123",
    "navigationType": "navigate",
}
OTHER = {
    "name": "CLS",
    "value": 0,
    "id": "v6-1767323000000-2",
    "navigationURL": "https://shop.example/b",
    "navigationId": 7,
}


def measured(message: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a metric as it can be made again from what is stored."""
    properties, context = message["properties"], message["context"]
    placed = {"name": next(iter(properties)).upper(), "value": next(iter(properties.values())), **properties}
    placed |= {**context.get("vitals", {}), "navigationURL": context.get("page", {}).get("url")}
    return {key: placed[key] for key in item}


@pytest.mark.parametrize("item", [METRIC, OTHER])
def test_nothing_of_a_metric_is_lost(item: dict[str, Any]) -> None:
    (message,) = messages("vitals", item, "/v/web1")

    assert measured(message, item) == item


GOLDEN = sorted((Path(__file__).parent / "wire" / "reports").glob("*.json"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_what_was_recorded_can_be_made_again(path: Path) -> None:
    for request in orjson.loads(path.read_bytes())["requests"]:
        body = base64.b64decode(request["body"])
        name, make = ("reports", again) if request["path"].startswith("/r/") else ("vitals", measured)
        value = orjson.loads(body)
        items = value if isinstance(value, list) else [value]
        made = messages(name, body, request["path"])
        assert [make(message, item) for message, item in zip(made, items, strict=True)] == items


async def test_metrics_come_alone_or_together_each_once(running: Running) -> None:
    source = await running.add()
    headers = {**PAGE, "Content-Type": "text/plain", "Referer": "https://shop.example/a"}

    for body in (METRIC, [METRIC, OTHER, {**METRIC, "value": 1300, "delta": 95.5}, {"name": "LCP"}, 7]):
        answer = await running.public.post(f"/v/{source.id}", data=orjson.dumps(body), headers=headers)
        assert answer.status == 204

    events = await running.events()
    assert [event["event"] for event in events] == ["Web Vitals"] * 3
    assert [event["properties"].get("lcp") for event in events] == [1204.5, None, 1300]
    assert [event["context"]["page"]["path"] for event in events] == ["/a", "/b", "/a"]
    assert events[0]["properties"]["rating"] == "good"
    assert "secret" not in str(events)
    assert events[0]["anonymousId"] == events[2]["anonymousId"]


@pytest.mark.parametrize("path", ["/r/", "/v/"])
async def test_hostile_reports_are_no_fault(running: Running, path: str) -> None:
    source = await running.add()

    for body in [*HOSTILE, b'[{"type":7,"body":[]},{"type":"x","age":1e300,"url":{}}]', b'{"csp-report":7}']:
        answer = await running.public.post(f"{path}{source.id}", data=body, headers=PAGE)
        assert answer.status < 500, body[:80]
