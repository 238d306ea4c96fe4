"""Events over the API: the last ones, those that come, refusals, figures, tests, and mails for many."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.conftest import until

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from tests.api.conftest import Api


BROWSER = {
    "User_Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
    "Accept_Language": "en",
}


async def told(answer: ClientResponse) -> tuple[str, Any]:
    """Return name and data of the next server-sent event."""
    name = ""
    while True:
        line = (await asyncio.wait_for(answer.content.readline(), 20)).decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            return name, orjson.loads(line.removeprefix("data: "))


async def test_events_and_refusals_come_as_they_happen(api: Api) -> None:
    await api.running.add(id="shop", settings={"origins": ["https://shop.example"]})
    answer = await api("GET", "/sources/shop/live")
    assert answer.content_type == "text/event-stream"
    await answer.content.readline()  # it listens now

    await api.running.post(
        "shop", {"batch": [{"type": "track", "event": "Bought"}]}, Origin="https://shop.example"
    )
    name, data = await told(answer)
    assert (name, data["event"]["event"], data["stream"]) == ("stored", "Bought", "events")

    await api.running.post("shop", {"batch": [{"type": "page"}]}, Origin="https://evil.example")
    name, data = await told(answer)
    assert (name, data["reason"], data["source"]) == ("refused", "origin_forbidden", "shop")
    events = (await api.json("GET", "/sources/shop/events?limit=1"))["items"]
    assert [each["event"]["event"] for each in events] == ["Bought"]
    refusals = (await api.json("GET", "/sources/shop/refusals"))["items"]
    assert [(each["reason"], each["help"]) for each in refusals] == [
        ("origin_forbidden", "The source does not allow this origin.")
    ]
    answer.close()
    await until(lambda: left(api))


async def left(api: Api) -> bool:
    """Tell whether nobody listens; something must come for the collector to notice."""
    await api.running.post("shop", {"batch": [{"type": "page"}]}, Origin="https://shop.example")
    [application] = [each for each in api.running.parts.console._subapps if each.on_shutdown]
    return not application.on_shutdown[0].__self__.listeners  # type: ignore[attr-defined]


async def test_refusals_that_found_no_source_are_listed(api: Api) -> None:
    await api.running.post("nothing", {"batch": []})

    async def listed() -> list[dict[str, Any]]:
        return list((await api.json("GET", "/refusals"))["items"])

    assert [each["reason"] for each in await until(listed)] == ["unknown_source"]


async def test_a_stream_ends_with_its_token(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.api.events._BEAT_SECONDS", 0)
    await api.running.add(id="shop")
    tokens = api.running.parts.access.tokens
    token = await tokens.add("listener", ["events:read"])
    answer = await api("GET", "/sources/shop/live", token=token)
    await answer.content.readline()

    await tokens.remove(token.split("_")[1])

    rest = await asyncio.wait_for(answer.content.read(), 20)
    assert set(rest.split(b"\n")) <= {b"", b": still here"}


async def test_figures_tell_what_a_source_took(api: Api) -> None:
    await api.running.add(id="shop")
    await api.running.post("shop", {"batch": [{"type": "track", "event": "Bought"}] * 3}, **BROWSER)

    async def counted() -> Any:
        found = await api.json("GET", "/sources/shop/stats?report=hour")
        return found if sum(point["counts"].get("events", 0) for point in found["points"]) else None

    found = await until(counted)
    assert (found["step"], len(found["points"]) > 59) == (60, True)
    assert found["lists"]["events"] == {"values": [{"value": "Bought", "count": 3}], "exact": True}
    assert (await api("GET", "/sources/shop/stats?report=year")).status == 422


TESTS: list[tuple[str, dict[str, Any], str]] = [
    ("web", {}, "track"),
    ("rest", {}, "track"),
    ("webhook", {"preset": "github", "secrets": ["x" * 30]}, "delivery"),
    ("email", {}, "open"),
]


@pytest.mark.parametrize(("bridge", "fields", "kind"), TESTS)
async def test_a_test_goes_through_the_public_door(
    api: Api, bridge: str, fields: dict[str, Any], kind: str
) -> None:
    await api.running.add(id="source", bridge=bridge, settings=fields)

    result = await api.json("POST", "/sources/source/test", {"kind": kind})

    assert (result["status"] < 300, result["reason"]) == (True, "")
    assert result["entry"]["event"]["source"]["id"] == "source"
    assert (await api("POST", "/sources/source/test", {"kind": "nonsense"})).status == 422


async def test_a_mail_is_made_for_many_recipients_one_a_line(api: Api) -> None:
    await api.running.add(id="mail", bridge="email")
    body = {
        "message": "m1",
        "mail": '<p><a href="https://shop.example/">Shop</a></p>',
        "recipients": [{"recipient": f"r{number}", "consented": number == 1} for number in range(3)],
    }
    answer = await api("POST", "/sources/mail/mails", body)
    lines = [orjson.loads(line) for line in (await answer.text()).splitlines()]

    assert answer.content_type == "application/x-ndjson"
    assert [line["recipient"] for line in lines] == ["r0", "r1", "r2"]
    assert all("/l/" in line["mail"] and "/p/mail.gif" in line["mail"] for line in lines)
    assert len({line["mail"] for line in lines}) == 3
    broken = await api("POST", "/sources/mail/mails", {**body, "kind": "mime", "mail": ""})
    assert broken.status in {200, 422}
    await broken.read()


async def test_deliveries_are_listed_and_taken_once_more(api: Api) -> None:
    settings = {"preset": "json", "keep": "all", "id": "{body.id}"}
    await api.running.add(id="hook", bridge="webhook", settings=settings)
    await api.running.public.post("/h/hook", json={"id": "d1", "secret": "of-the-sender"})

    async def listed() -> Any:
        return (await api.json("GET", "/sources/hook/deliveries"))["items"]

    [row] = await until(listed)
    assert (row["verdict"], row["reason"], row["kept"]) == ("stored", "", True)
    assert "of-the-sender" not in str(row)
    again = await api.json("POST", "/sources/hook/deliveries/replay", {"entries": [row["entry"]]})
    assert again["items"] == [{"entry": row["entry"], "verdict": "duplicate", "reason": ""}]
    assert (await api.json("POST", "/sources/hook/deliveries/replay", {}))["items"] == []
    await api.running.add(id="shop")
    assert (await api("GET", "/sources/shop/deliveries")).status == 409


async def test_a_report_tells_what_became_of_a_message(api: Api) -> None:
    await api.running.add(id="mail", bridge="email")
    body = {"message": "m1", "recipient": "r1", "targets": ["https://shop.example/"], "consented": True}
    made = await api.json("POST", "/sources/mail/links", body)
    token = made["links"][0].rpartition("/l/")[2]
    await api.running.public.get(f"/l/{token}", allow_redirects=False)

    async def clicked() -> Any:
        told = await api.json("GET", "/sources/mail/messages/m1")
        return told if told["clicks"]["total"] else None

    assert (await until(clicked))["clicks"]["unique"] == 1
    assert (await api.json("GET", "/sources/mail/messages/other"))["clicks"]["total"] == 0


async def test_health_tells_who_runs(api: Api) -> None:
    async def running() -> Any:
        return (await api.json("GET", "/health"))["collectors"]

    [one] = await until(running)
    assert (await api.json("GET", "/health"))["safe"] is True
    assert one["version"]
    checks = await api.json("GET", "/checks")
    assert {"redis", "eviction", "clock"} <= {check["name"] for check in checks["items"]}
