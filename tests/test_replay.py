"""Replay: what was refused can be taken again once the source is put right, and nothing is stored twice."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from collector.model import Refusal
from collector.replay import replay
from collector.sources.keys import add_key
from tests.conftest import until

if TYPE_CHECKING:
    from collector.model import Source
    from tests.conftest import Running

TRACK = {"type": "track", "event": "Call Ended", "userId": "u1"}


async def kept(running: Running, source: Source, count: int = 1) -> list[dict[str, Any]]:
    """Return the remembered hits, once there are so many."""

    async def there() -> Any:
        rows = await running.parts.deliveries.last(source.id)
        return rows if len(rows) >= count else None

    rows: list[dict[str, Any]] = await until(there)
    return rows


async def again(running: Running, source: Source, *entries: str) -> list[str]:
    current = running.parts.catalogue.get(source.id)
    taken = replay(running.parts.pipeline, running.parts.deliveries, current, entries)
    return [
        result.reason.code if isinstance(result, Refusal) else ",".join(each.verdict for each in result)
        async for _, result in taken
    ]


async def rest(running: Running, **settings: Any) -> tuple[Source, dict[str, str], str]:
    source = await running.add(bridge="rest", settings=settings)
    key = await add_key(running.parts.catalogue, source.id)
    return source, {"Authorization": f"Bearer {key}"}, key


REFUSED = [
    ("/v1/track", {"userId": "u1"}),
    ("/v1/batch", {"batch": "none"}),
    ("/v1/t", [1]),
    ("/v1/batch", {"batch": [{**TRACK, "messageId": "m1"}, {"type": "nothing", "messageId": "m2"}]}),
]


@pytest.mark.parametrize(("path", "body"), REFUSED)
async def test_what_was_refused_of_a_rest_source_is_kept_and_can_be_replayed(
    running: Running, path: str, body: Any
) -> None:
    source, headers, key = await rest(running)
    sent = body | {"writeKey": key} if isinstance(body, dict) else body

    answer = await running.public.post(f"{path}?writeKey={key}&a=1", json=sent, headers=headers)
    before = await running.events()
    (row,) = await kept(running, source)

    assert answer.status in {200, 400}
    assert row["reason"]
    assert key not in orjson.dumps(row).decode()
    assert await again(running, source) != []
    assert await running.events() == before


async def test_only_the_refused_events_of_a_batch_are_taken_again(running: Running) -> None:
    """An event without an id of its own would else be in the stream twice."""
    schema = {"Call Ended": {"type": "object", "required": ["seconds"]}}
    source, headers, _ = await rest(running)
    strict = {"schema_mode": "refuse", "schemas": schema}
    await running.parts.catalogue.change(source.id, {"enrichment": strict})
    good = {**TRACK, "properties": {"seconds": 3}}

    answer = await running.public.post(
        "/v1/batch", data=gzip.compress(orjson.dumps({"batch": [good, TRACK, good]})), headers=headers
    )
    assert [row["index"] for row in (await answer.json())["refused"]] == [1]
    await kept(running, source)
    await running.parts.catalogue.change(source.id, {"enrichment": {"schema_mode": "off"}})

    assert await again(running, source) == ["stored"]
    assert await again(running, source) == ["stored"]  # without an id each is another event
    assert [event.get("properties") for event in await running.events()] == [
        {"seconds": 3},
        {"seconds": 3},
        None,
        None,
    ]


async def test_a_source_keeps_as_much_as_it_is_told(running: Running) -> None:
    bad = {"userId": "u1"}
    for keep, expected in {"off": [False], "refused": [True], "all": [True, True]}.items():
        source, headers, _ = await rest(running, keep=keep)
        await running.public.post("/v1/track", json=TRACK, headers=headers)
        await running.public.post("/v1/track", json=bad, headers=headers)

        rows = await kept(running, source, len(expected))
        assert ["raw" in row for row in rows] == expected


async def test_a_named_hit_is_taken_whole_and_stored_once(running: Running) -> None:
    source, headers, _ = await rest(running, keep="all")
    await running.public.post("/v1/track", json={**TRACK, "messageId": "m1"}, headers=headers)
    (row,) = await kept(running, source)

    assert await again(running, source) == []
    assert await again(running, source, row["entry"]) == ["duplicate"]
    assert len(await running.events()) == 1


async def test_a_body_of_any_size_is_kept_up_to_a_limit(running: Running) -> None:
    source, headers, _ = await rest(running, keep="all")
    large = {**TRACK, "properties": {"text": "x" * 200_000}}
    await running.public.post("/v1/batch", json={"batch": [large, large]}, headers=headers)
    await running.public.post("/v1/batch", json={"batch": [large]}, headers=headers)
    await asyncio.sleep(0.7)

    rows = await running.parts.deliveries.last(source.id)
    assert [len(orjson.dumps(row["raw"])) > 200_000 for row in rows if "raw" in row] == [True]


async def test_tracardis_hits_are_replayed_by_their_own_dialect(running: Running) -> None:
    source, _, key = await rest(running, keep="all")
    body = {"source": {"id": key}, "events": [{"id": "e1", "type": "sale"}], "profile": {"id": "p1"}}
    await running.public.post("/track", json=body)
    await running.public.post(f"/collect/purchase/{key}/s1", json={"total": 3})
    rows = await kept(running, source, 2)

    assert key not in orjson.dumps(rows).decode()
    assert await again(running, source, *(row["entry"] for row in rows)) == ["duplicate", "stored"]
    events = [
        (event["event"], event.get("sessionId"), event.get("properties")) for event in await running.events()
    ]
    assert events == [("sale", None, None), *[("purchase", "s1", {"total": 3})] * 2]
