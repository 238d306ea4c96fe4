"""Tracardi's paths: its scripts work unchanged when their address changes; its failings are not ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.sources.keys import add_key

if TYPE_CHECKING:
    from tests.conftest import Running

SOURCE = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
PAGE = {
    "url": "https://shop.example/a#b",
    "path": "/a",
    "hash": "#b",
    "title": "A",
    "referer": {"host": "x.example"},
}


async def tracardi_source(running: Running, **key: Any) -> str:
    source = await running.add(bridge="rest")
    return await add_key(running.parts.catalogue, source.id, key=SOURCE, **key)


def visit(*events: Any, **fields: Any) -> dict[str, Any]:
    return {
        "source": {"id": SOURCE},
        "session": {"id": "s1"},
        "profile": {"id": "p1"},
        "events": [*events],
        **fields,
    }


async def test_a_visit_becomes_events_and_its_ids_come_back(running: Running) -> None:
    await tracardi_source(running)
    view = {"type": "page-view", "time": {"create": "2026-01-02T03:04:05Z"}, "context": {"page": PAGE}}
    bought = {"type": "purchase", "id": "e1", "properties": {"total": 7}, "tags": ["a"]}
    context = {"browser": {"browser": {"userAgent": "UA", "language": "de"}}, "time": {"tz": "Europe/Zurich"}}

    answer = await running.public.post("/track", json=visit(view, bought, context=context))

    assert answer.status == 200
    body = await answer.json()
    page, track = await running.events()
    assert body == {
        "task": None,
        "ux": [],
        "response": {},
        "errors": [],
        "warnings": [],
        "profile": {"id": "p1"},
        "session": {"id": "s1"},
        "events": [page["messageId"], "e1"],
    }
    assert (page["type"], page["originalTimestamp"]) == ("page", "2026-01-02T03:04:05.000Z")
    assert page["context"]["page"]["url"] == "https://shop.example/a"
    assert page["context"]["page"]["referrer"] == "x.example"
    assert (track["event"], track["properties"], track["sessionId"]) == ("purchase", {"total": 7}, "s1")
    assert (track["anonymousId"], track["context"]["locale"]) == ("p1", "de")
    assert track["context"]["tracardi"]["tags"] == ["a"]


@pytest.mark.parametrize("profile", [None, {}, {"id": None}, {"id": ""}])
async def test_a_visit_without_a_profile_gets_one(running: Running, profile: Any) -> None:
    await tracardi_source(running)

    answer = await running.public.post("/track", json=visit({"type": "a"}, profile=profile))

    made = (await answer.json())["profile"]["id"]
    assert made
    assert [event["anonymousId"] for event in await running.events()] == [made]


MULTIPART = b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n--b--\r\n'
BODIES = [
    ("multipart", MULTIPART, "multipart/form-data; boundary=b", {"n": "1"}),
    ("form with charset", b"n=1", "application/x-www-form-urlencoded; charset=utf-8", {"n": "1"}),
    ("json with charset", b'{"n":1}', "application/json; charset=utf-8", {"n": 1}),
    ("a list", b"[1,2]", "application/json", {"body": [1, 2]}),
    ("text", b"hello there", "text/plain", {"text": "hello there"}),
]


@pytest.mark.parametrize(("_name", "body", "label", "expected"), BODIES, ids=[row[0] for row in BODIES])
async def test_collect_takes_any_body_as_properties(
    running: Running, _name: str, body: bytes, label: str, expected: Any
) -> None:
    await tracardi_source(running)

    answer = await running.public.post(
        f"/collect/call-ended/{SOURCE}/s9", data=body, headers={"Content-Type": label}
    )

    assert answer.status == 200
    (event,) = await running.events()
    assert (event["event"], event["sessionId"], event["properties"]) == ("call-ended", "s9", expected)


async def test_collect_takes_a_query(running: Running) -> None:
    await tracardi_source(running)

    assert (await running.public.get(f"/collect/opened/{SOURCE}?door=1")).status == 200
    assert (await running.events())[0]["properties"] == {"door": "1"}


async def test_malformed_json_is_refused_and_not_stored_as_nothing(running: Running) -> None:
    await tracardi_source(running)

    answers = [await running.public.post(path, data=b'{"a":') for path in ("/track", f"/collect/x/{SOURCE}")]

    assert [(answer.status, (await answer.json())["code"]) for answer in answers] == [(400, "not_json")] * 2
    assert await running.events() == []


async def test_an_unknown_source_is_401_and_a_foreign_origin_403(running: Running) -> None:
    await tracardi_source(running, origins=["https://shop.example"])

    unknown = await running.public.post("/track", json=visit({"type": "a"}, source={"id": "nobody"}))
    foreign = await running.public.post(
        "/track", json=visit({"type": "a"}), headers={"Origin": "https://x.example"}
    )
    allowed = await running.public.post(
        "/track", json=visit({"type": "a"}), headers={"Origin": "https://shop.example"}
    )

    assert [answer.status for answer in (unknown, foreign, allowed)] == [401, 403, 200]


async def test_a_bad_event_is_named_and_the_good_one_is_stored(running: Running) -> None:
    await tracardi_source(running)

    answer = await running.public.post("/track", json=visit({"type": "a"}, {"type": None}, 7))

    assert answer.status == 200
    assert len((await answer.json())["errors"]) == 2
    assert len(await running.events()) == 1
    assert len(await running.events("quarantine")) == 2


async def test_the_scripts_preflight_is_answered(running: Running) -> None:
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Headers": "content-type,x-timestamp"}

    answer = await running.public.options("/track", headers=headers)

    assert answer.headers["Access-Control-Allow-Headers"] == "content-type,x-timestamp"
