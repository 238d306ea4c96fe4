"""What others collected against parsers, through every bridge: JSONTestSuite and the naughty strings.

The paths are read from the public door's routes and the dialects' batches from what was recorded of their
clients, so a new dialect is tried as soon as it is there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from redis.asyncio import Redis
from yarl import URL

from collector.sources.keys import add_key
from collector.tasks import running as in_background
from tests.conftest import until
from tests.hardening.doors import Doors, recorded
from tests.hardening.hostile import BODIES, JUNK, TYPES, json_test_suite, naughty_strings
from tests.queues.brokers import started

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Running
    from tests.hardening.conftest import Tried

GOOD = {"type": "track", "event": "Good", "userId": "u1"}


async def refusals(running: Running, source: str = r"\w*") -> float:
    """Return how many refusals were counted since the process began."""
    told = await (await running.console.get("/metrics")).text()
    return sum(
        float(n) for n in re.findall(rf'refusals_total\{{reason="\w+",source="{source}"\}} (\S+)', told)
    )


async def test_every_case_of_the_json_test_suite_is_taken_or_refused_at_every_path(
    running: Running, tried: Tried
) -> None:
    doors = await Doors.of(running)
    cases = json_test_suite()
    tried("JSONTestSuite, at every path", len(cases) * len(doors.paths))

    before = await refusals(running)
    assert len(cases) == 318
    assert len(doors.paths) > 30
    assert {
        name: f for name, body in cases if (f := await doors.faults(running, body, "application/json"))
    } == {}
    assert doors.refused
    assert await refusals(running) - before >= doors.refused


async def test_broken_json_is_refused_and_counted(running: Running) -> None:
    """The cases that a parser must refuse are refused as a hit."""
    await running.add(id="web1")
    before = await refusals(running, "web1")
    broken = [(name, body) for name, body in json_test_suite() if name.startswith("n_")]
    taken = [name for name, body in broken if (await running.post("web1", body)).status < 400]

    assert taken == []
    assert await refusals(running, "web1") - before == len(broken)


@pytest.mark.parametrize("kind", TYPES)
async def test_hostile_bodies_of_every_content_type_are_no_fault_of_any_bridge(
    running: Running, kind: str, tried: Tried
) -> None:
    doors = await Doors.of(running)
    tried("hostile bodies of every content type, at every path", len(BODIES) * len(doors.paths))

    assert {body[:40]: f for body in BODIES if (f := await doors.faults(running, body, kind))} == {}


async def test_naughty_strings_come_back_as_they_were_sent_and_good_events_beside_bad_ones_are_kept(
    running: Running,
) -> None:
    await running.add(id="web1")
    strings = naughty_strings()
    for at in range(0, len(strings), 100):
        batch: list[Any] = [
            {"type": "track", "event": "E", "properties": {"text": text}} for text in strings[at : at + 100]
        ]
        batch.insert(len(batch) // 2, {"type": "no such type", "event": strings[at]})
        batch.append("no object")
        answer = await running.post("web1", {"batch": batch})

        assert answer.status == 200

    assert [event["properties"]["text"] for event in await running.events()] == strings


async def test_naughty_strings_in_every_place_are_no_fault(running: Running, tried: Tried) -> None:
    doors = await Doors.of(running)
    strings = naughty_strings()[::8]
    tried("big list of naughty strings, in every place at every path", 2 * len(strings) * len(doors.paths))
    for text in strings:
        item = {
            "type": text,
            "event": text,
            "messageId": text,
            "anonymousId": text,
            "timestamp": text,
            "context": {"page": {"url": text, "referrer": text}, "userAgent": text, "campaign": text},
            text: {text: [text]},
        }
        for body in ({"batch": [{**item, "type": "track"}], "sentAt": text}, item):
            assert await doors.faults(running, orjson.dumps(body), "application/json") == []


async def test_naughty_queries_links_and_mails_are_no_fault(running: Running, tried: Tried) -> None:
    tried("big list of naughty strings, in queries and tokens", 9 * len(naughty_strings()))
    await running.add(id="web1")
    await running.add(id="mail1", bridge="email")
    for text in naughty_strings():
        for path in ("/p/web1.gif", "/p/mail1.gif", "/l/x", "/u/x"):
            answer = await running.public.get(path, params={"event": text, "p.x": text, "m": text, "t": text})

            assert answer.status < 500, (path, text)
        for path in ("/l/", "/u/", "/p/", "/s/", "/e/"):
            answer = await running.public.get(path + text.replace("/", "")[:500] + ".gif")

            assert answer.status < 500, (path, text)


def spoiled(body: bytes) -> bytes | None:
    """Return a recorded batch with what is no event before, between and behind its events, if it is one."""
    value = orjson.loads(body) if body[:1] in (b"{", b"[") else None
    lists = [value] if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    for items in lists:
        if isinstance(items, list) and items:
            items[:] = [*JUNK, *(part for item in items for part in (item, *JUNK[:2]))]
            return orjson.dumps(value)
    return None


BATCHES = [(site, request, bad) for site, request, body in recorded() if (bad := spoiled(body))]


@pytest.mark.parametrize(("site", "request_", "bad"), BATCHES, ids=[site for site, _, _ in BATCHES])
async def test_good_events_of_other_systems_clients_are_kept_beside_bad_ones(
    running: Running, redis: Redis, site: str, request_: dict[str, Any], bad: bytes
) -> None:
    body = next(body for each, request, body in recorded() if (each, request) == (site, request_))
    kept = []
    for data in (body, bad):
        await redis.delete(running.names.stream(0))
        source = await running.add(settings={"sites": [site]})
        path = URL(request_["path"], encoded=True)
        async with running.public.post(path, data=data, headers=request_["headers"]) as answer:
            assert answer.status < 300, await answer.text()
        kept.append([(each["type"], each.get("event")) for each in await running.events()])
        await running.parts.catalogue.remove(source.id)

    assert kept[0]
    assert kept[1] == kept[0]


async def test_good_lines_of_an_import_are_kept_beside_bad_ones(running: Running) -> None:
    await running.add(id="rest1", bridge="rest")
    key = await add_key(running.parts.catalogue, "rest1")
    before = await refusals(running, "rest1")
    good = orjson.dumps(GOOD)
    cases = [
        body for _, body in json_test_suite() if b"\n" not in body and body.strip() and b"\r" not in body
    ]
    lines = [line for bad in [*cases, *map(orjson.dumps, JUNK)] for line in (good, bad)]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    answer = await running.public.post("/v1/import", data=b"\n".join(lines), headers=headers)
    told = [orjson.loads(line) for line in (await answer.read()).splitlines()]

    assert (answer.status, told[-1]["done"]) == (200, True)
    assert [each["event"] for each in await running.events()] == ["Good"] * (len(lines) // 2)
    assert await refusals(running, "rest1") - before == told[-1]["refused"] == len(lines) // 2


async def test_messages_of_a_queue_are_events_or_dead_letters_whatever_they_hold(
    running: Running, redis: Redis, tmp_path: Path, tried: Tried
) -> None:
    forms = ("event", "batch", "segment", "tracardi", "cloudevents", "mapping")
    good = orjson.dumps(GOOD)
    texts = [orjson.dumps({**GOOD, "event": text, "properties": {text: text}}) for text in naughty_strings()]
    bodies = [*(body for _, body in json_test_suite()), *BODIES, *texts[::4]]
    tried("the same and JSONTestSuite as messages of a queue, in every format", len(bodies) * len(forms))
    before = await refusals(running, "event")
    async with started("redis", tmp_path) as broker:
        for form in forms:
            settings = {**broker.settings, "topic": "orders", "group": form, "format": form}
            await running.add(id=form, bridge="queue", settings=settings)
        await broker.publish([message for bad in bodies for message in (bad, good)])

        async def all_read() -> bool:
            async with Redis.from_url(broker.settings["address"], protocol=2) as client:
                groups: Any = await client.xinfo_groups("orders")
            return len(groups) == len(forms) and not any(each["pending"] + each["lag"] for each in groups)

        async with in_background(running.parts.queues.run()):
            await until(all_read)
    stored = await running.events()
    dead: Any = await redis.xrange(running.names.stream(0, "quarantine"))
    letters = [orjson.loads(fields[b"event"]) for _, fields in dead]

    assert {each["reason"] for each in letters} & {"internal"} == set()
    for form in ("event", "segment"):
        assert sum((each["source"]["id"], each.get("event")) == (form, "Good") for each in stored) >= len(
            bodies
        )
    of_events = sum(each["source"]["id"] == "event" for each in stored)
    assert of_events + await refusals(running, "event") - before == 2 * len(bodies)
