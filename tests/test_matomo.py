"""Matomo's tracking API at the public door: every kind of hit, bulk, pictures, and no token anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
import pytest

from collector.protocols import matomo
from collector.store.deliveries import unpack
from tests.test_dialects import PAGE, emitted, messages

if TYPE_CHECKING:
    from tests.conftest import Running

TOKEN = "0123456789abcdef" * 2
VISITOR = "aaaabbbbccccdddd"
VIEW = {
    "idsite": "37",
    "rec": "1",
    "apiv": "1",
    "url": "https://shop.example/a?mtm_campaign=news",
    "action_name": "A",
    "urlref": "https://x.example/",
    "_id": VISITOR,
    "pv_id": "a1b2c3",
    "res": "1920x1080",
    "lang": "de",
    "rand": "0.5",
}
ITEMS = '[["sku","Name",["Cat"],9.5,2]]'
HITS: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("page", {}, {}),
    ("Play", {"e_c": "Video", "e_a": "Play", "e_n": "Intro", "e_v": "1.50"}, {"value": 1.5, "name": "Intro"}),
    ("search", {"search": "tea", "search_cat": "x", "search_count": "7"}, {"query": "tea", "results": 7}),
    ("outlink", {"link": "https://out.example"}, {"link": "https://out.example"}),
    ("download", {"download": "https://shop.example/f.pdf"}, {"download": "https://shop.example/f.pdf"}),
    ("goal", {"idgoal": "3", "revenue": "9"}, {"goalId": "3", "revenue": 9}),
    (
        "order",
        {"idgoal": "0", "ec_id": "o1", "revenue": "20.25", "ec_items": ITEMS, "ec_tx": "1"},
        {"orderId": "o1", "revenue": 20.25, "items": orjson.loads(ITEMS), "tax": 1},
    ),
    ("cart", {"idgoal": "0", "revenue": "9", "ec_items": ITEMS}, {"items": orjson.loads(ITEMS)}),
    (
        "content",
        {"c_n": "Ad", "c_p": "a.png", "c_t": "/x", "c_i": "click"},
        {"content": "Ad", "piece": "a.png"},
    ),
    ("ping", {"ping": "1"}, {}),
    ("page", {"dimension1": "red", "cvar": '{"1":["a","b"]}'}, {"dimension1": "red"}),
    ("custom", {"ca": "1"}, {}),
    ("Play", {"e_c": "", "e_a": "Play", "e_v": "many", "cid": "0" * 16, "uid": "u1", "_id": "no"}, {}),
]


@pytest.mark.parametrize(("name", "fields", "properties"), HITS, ids=[str(row[1])[:40] for row in HITS])
def test_each_kind_of_hit_has_its_name_and_loses_nothing(
    name: str, fields: dict[str, str], properties: dict[str, Any]
) -> None:
    item = {**VIEW, **fields}

    (message,) = messages("matomo", b"", query=urlencode({**item, "token_auth": TOKEN}))

    assert message.get("event", "page") == name
    assert properties.items() <= message.get("properties", {}).items()
    assert TOKEN not in str(message)
    places = {**matomo.PLACES, "_id": "anonymousId", "cid": "anonymousId"}
    again = emitted(message, "matomo", item, places)
    parsed = {key: orjson.loads(item[key]) for key in matomo.JSON if key in item}
    numbers = {key: again[key] for key in matomo.NUMBERS if isinstance(again.get(key), int | float)}
    assert {key: str(value) for key, value in numbers.items()}.items() <= item.items()
    assert again == {**item, **parsed, **numbers}


async def test_a_page_asks_for_a_picture_and_gets_one(running: Running) -> None:
    await running.add(settings={"sites": ["matomo:37"]}, privacy={"visitors": "cookie"})

    seen = await running.public.get(f"/matomo.php?{urlencode(VIEW)}", headers=PAGE)
    silent = await running.public.get(f"/piwik.php?{urlencode({**VIEW, 'send_image': '0'})}", headers=PAGE)
    unknown = await running.public.get("/matomo.php?idsite=9&rec=1")
    looked = await running.public.head(f"/matomo.php?{urlencode(VIEW)}")

    assert (seen.status, seen.content_type, silent.status) == (200, "image/gif", 204)
    assert (unknown.status, unknown.content_type) == (401, "image/gif")
    assert (unknown.headers["X-Headwater-Reason"], looked.status) == ("unknown_key", 200)
    page, _ = await running.events()
    assert (page["type"], page["anonymousId"]) == ("page", VISITOR)
    assert page["context"]["page"]["referrer"] == "https://x.example/"
    assert page["context"]["campaign"]["name"] == "news"


@pytest.mark.parametrize(
    ("query", "body"), [(VIEW, b""), ({}, VIEW), ({**VIEW, "action_name": "old"}, {"action_name": "A"})]
)
async def test_a_post_has_its_parameters_in_the_query_the_body_or_both(
    running: Running, query: Any, body: Any
) -> None:
    await running.add(settings={"sites": ["matomo:37"]})
    headers = {**PAGE, "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

    answer = await running.public.post(
        f"/matomo.php?{urlencode(query)}", data=urlencode(body).encode() if body else b"", headers=headers
    )

    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, PAGE["Origin"])
    assert [event["context"]["page"]["title"] for event in await running.events()] == ["A"]


async def test_a_bulk_counts_what_is_bad_and_keeps_no_token(running: Running) -> None:
    source = await running.add(bridge="rest", settings={"sites": ["matomo:37"], "keep": "all"})
    late = {**VIEW, "cdt": "2026-01-02 03:04:05", "cip": "203.0.113.9", "token_auth": TOKEN}
    requests = [f"?{urlencode(late)}", {**VIEW, "token_auth": TOKEN}, "?idsite=37", 7, "?idsite=9&rec=1"]

    answer = await running.public.post(
        f"/matomo.php?token_auth={TOKEN}", json={"requests": requests, "token_auth": TOKEN}
    )

    told = {"status": "success", "tracked": 2, "invalid": 3, "invalid_indices": [2, 3, 4]}
    assert (answer.status, await answer.json()) == (200, told)
    first, _ = await running.events()
    assert first["originalTimestamp"] == "2026-01-02T03:04:05.000Z"
    await running.parts.deliveries.flush()
    (row,) = await running.parts.deliveries.last(source.id)
    kept = unpack(row["raw"], source)
    everything = [await running.events(), await running.events("quarantine"), kept.body, kept.query, kept.url]
    assert TOKEN not in str(everything)
