"""The Segment HTTP API through the real door: keys, encodings, answers, refusals, quarantine."""

from __future__ import annotations

import base64
import gzip
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from collector.sources.keys import add_key, revoke_key, rotate_key
from collector.stream.feed import REFUSED, Feed

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from tests.conftest import Running

CALL = {"type": "track", "event": "Call Ended", "userId": "u1", "messageId": "m1"}


async def rest_key(running: Running, **key: Any) -> str:
    """Add a rest source and return a write key of it."""
    source = await running.add(bridge="rest", channel="CRM")
    return await add_key(running.parts.catalogue, source.id, **key)


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


async def send(running: Running, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return await running.public.post(path, data=data, headers=headers or {})


WAYS = [
    ("header", "/v1/track", lambda key: basic(f"{key}:"), {}),
    ("bearer", "/v1/track", lambda key: {"Authorization": f"Bearer {key}"}, {}),
    ("own header", "/v1/track", lambda key: {"X-Write-Key": key}, {}),
    ("query", "/v1/track?writeKey={key}", lambda _: {}, {}),
    ("body", "/v1/track", lambda _: {}, {"writeKey": "{key}"}),
    ("body, useless header", "/v1/track", lambda _: {"Authorization": "Bearer None"}, {"writeKey": "{key}"}),
    ("body, broken header", "/v1/track", lambda _: {"Authorization": "Basic \xfc"}, {"writeKey": "{key}"}),
]


@pytest.mark.parametrize(("_name", "path", "headers", "body"), WAYS, ids=[way[0] for way in WAYS])
async def test_a_write_key_is_found_wherever_clients_put_it(
    running: Running, _name: str, path: str, headers: Any, body: dict[str, str]
) -> None:
    key = await rest_key(running)
    filled = {name: value.format(key=key) for name, value in body.items()}

    answer = await send(running, path.format(key=key), {**CALL, **filled}, headers(key))

    assert (answer.status, await answer.json()) == (200, {"success": True})
    (event,) = await running.events()
    assert event["event"] == "Call Ended"
    assert key not in orjson.dumps(event).decode()


async def test_a_key_of_the_events_of_a_batch_is_found(running: Running) -> None:
    key = await rest_key(running)

    answer = await send(running, "/v1/b", {"batch": [{**CALL, "writeKey": key}]})

    assert answer.status == 200


@pytest.mark.parametrize("key", ["", "wrong", "None", "x" * 5000, "\udcfc"])
async def test_an_unknown_key_is_401_with_code_and_message(running: Running, key: str) -> None:
    await rest_key(running)

    answer = await send(
        running,
        "/v1/track",
        orjson.dumps({**CALL, "writeKey": "K"}).replace(
            b'"K"', b'"' + key.encode("ascii", "backslashreplace") + b'"'
        ),
    )

    assert answer.status == 401
    assert {"code": "unknown_key"}.items() <= (await answer.json()).items()
    assert await running.events() == []


async def test_who_sends_no_key_is_told_how(running: Running) -> None:
    for path in ("/v1/track", "/v1/import"):
        answer = await send(running, path, CALL)

        assert "None came: send it as Basic user name" in (await answer.json())["message"]


@pytest.mark.parametrize("path", ["/v1/track", "/v1/import"])
async def test_a_body_that_cannot_be_read_is_refused_in_sight_of_the_source_whose_key_came_beside_it(
    running: Running, redis: Redis, path: str
) -> None:
    key = await rest_key(running)
    source = next(iter(running.parts.catalogue))

    await send(running, path, b"not gzip", {**basic(key + ":"), "Content-Encoding": "gzip"})
    await running.parts.pipeline.refused.flush()
    (told,) = await Feed(redis, running.names, 1).last(source.id, [REFUSED], 9)

    assert told.body["reason"] == "bad_encoding"


async def test_a_rotated_key_works_until_its_overlap_ends_and_a_revoked_one_not_at_all(
    running: Running,
) -> None:
    catalogue = running.parts.catalogue
    first = await rest_key(running)
    source = next(iter(catalogue))

    second = await rotate_key(catalogue, source.id, source.settings.keys[0].id, timedelta(hours=1))
    both = [(await send(running, "/v1/track", CALL, basic(key + ":"))).status for key in (first, second)]
    ended = catalogue.get(source.id).settings.keys[1]
    await rotate_key(catalogue, source.id, ended.id, timedelta(seconds=-1))
    after = (await send(running, "/v1/track", CALL, basic(second + ":"))).status
    await revoke_key(catalogue, source.id, source.settings.keys[0].id)
    revoked = (await send(running, "/v1/track", CALL, basic(first + ":"))).status

    assert (both, after, revoked) == ([200, 200], 401, 401)


async def test_a_browser_key_is_taken_from_its_origins_only(running: Running) -> None:
    key = await rest_key(running, origins=["https://shop.example"])

    answers = {
        origin: (await send(running, "/v1/t", {**CALL, "writeKey": key}, {"Origin": origin})).status
        for origin in ("https://shop.example", "https://evil.example")
    }

    assert answers == {"https://shop.example": 200, "https://evil.example": 403}


async def test_the_key_itself_is_nowhere_in_redis(running: Running, redis: Any) -> None:
    key = await rest_key(running)

    rows = await redis.hgetall(running.names.sources)

    assert key.encode() not in b"".join(rows.values())


PATHS = [
    ("/v1/track", "track"),
    ("/v1/t", "track"),
    ("/v1/page", "page"),
    ("/v1/p", "page"),
    ("/v1/screen", "screen"),
    ("/v1/s", "screen"),
    ("/v1/identify", "identify"),
    ("/v1/i", "identify"),
    ("/v1/group", "group"),
    ("/v1/g", "group"),
    ("/v1/alias", "alias"),
    ("/v1/a", "alias"),
    ("/api/s/track", "track"),
    ("/api/s/s2s/page", "page"),
]


@pytest.mark.parametrize(("path", "kind"), PATHS)
async def test_a_single_event_has_its_type_from_the_path(running: Running, path: str, kind: str) -> None:
    key = await rest_key(running)
    item = {"userId": "u1", "event": "Call", "groupId": "g1", "previousId": "old"}

    answer = await send(running, path, item, basic(f"{key}:"))

    assert answer.status == 200
    assert [event["type"] for event in await running.events()] == [kind]


LABELS = [
    ("gzip that says it is a form", gzip.compress, "application/x-www-form-urlencoded", "gzip"),
    ("gzip that says nothing", gzip.compress, "text/plain", ""),
    ("JSON as text", bytes, "text/plain", ""),
    ("JSON as a form", bytes, "application/x-www-form-urlencoded", ""),
    ("JSON after a byte order mark", b"\xef\xbb\xbf".__add__, "application/json", ""),
]


@pytest.mark.parametrize(("_name", "pack", "label", "encoding"), LABELS, ids=[row[0] for row in LABELS])
async def test_a_body_is_what_it_looks_like_not_what_its_label_says(
    running: Running, _name: str, pack: Any, label: str, encoding: str
) -> None:
    key = await rest_key(running)
    headers = {**basic(f"{key}:"), "Content-Type": label, "Content-Encoding": encoding}

    answer = await send(running, "/v1/batch", pack(orjson.dumps({"batch": [CALL]})), headers)

    assert answer.status == 200
    assert len(await running.events()) == 1


async def test_a_form_is_an_event(running: Running) -> None:
    key = await rest_key(running)

    body = b"userId=u1&event=Call&properties[reason]=billing&properties[tag]=a&properties[tag]=b"
    await send(running, "/v1/track", body, basic(f"{key}:"))

    (event,) = await running.events()
    assert event["properties"] == {"reason": "billing", "tag": ["a", "b"]}


async def test_bad_items_are_refused_by_index_and_quarantined_and_the_good_are_stored(
    running: Running,
) -> None:
    key = await rest_key(running)
    batch = [CALL, 7, {"type": "track", "userId": "u1"}, {"type": "nonsense", "secret": 1}]

    answers = [await send(running, "/v1/batch", {"batch": batch}, basic(f"{key}:")) for _ in range(2)]

    for answer in answers:
        body = await answer.json()
        assert answer.status == 200
        assert [(row["index"], row["reason"]) for row in body["refused"]] == [
            (1, "not_an_object"),
            (2, "missing_field"),
            (3, "unknown_type"),
        ]
    assert len(await running.events()) == 1
    kept = await running.events("quarantine")
    assert [(row["index"], row["raw"]) for row in kept] == list(enumerate(batch))[1:]


async def test_a_retried_batch_that_has_grown_adds_only_what_is_new(running: Running) -> None:
    key = await rest_key(running)

    for ids in (["a", "b"], ["a", "b", "c"]):
        await send(running, "/v1/batch", {"batch": [{**CALL, "messageId": i} for i in ids]}, basic(f"{key}:"))

    assert [event["messageId"] for event in await running.events()] == ["a", "b", "c"]


BAD = [
    (b"", 400, "empty_body"),
    (b"hello", 400, "not_json"),
    (b"<event/>", 400, "not_json"),
    (b"{broken", 400, "not_json"),
    (b"\x1f\x8bbroken", 400, "bad_encoding"),
    (gzip.compress(b" " * 50_000_000), 413, "inflated_too_large"),
    (b"[" * 5000, 400, "too_deep"),
    ({"batch": {}}, 400, "not_a_list"),
    ({"batch": [CALL] * 2501}, 413, "too_many_events"),
    ({**CALL, "properties": [1]}, 400, "wrong_type"),
    ({**CALL, "messageId": "x" * 256}, 400, "field_too_long"),
    ({"userId": "u1"}, 400, "missing_field"),
    ({**CALL, "properties": {"a": "x" * 300_000}}, 413, "event_too_large"),
]


@pytest.mark.parametrize(("body", "status", "reason"), BAD)
async def test_a_bad_body_is_refused_with_its_own_reason(
    running: Running, body: Any, status: int, reason: str
) -> None:
    key = await rest_key(running)

    answer = await send(running, "/v1/track", body, {**basic(f"{key}:"), "Origin": "https://a.example"})

    assert (status, reason) == (answer.status, (await answer.json())["code"])
    assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert await running.events() == []


async def test_numbers_that_json_has_not_become_null_with_a_flag_and_big_integers_stay(
    running: Running,
) -> None:
    key = await rest_key(running)
    body = b'{"userId":"u1","event":"n","properties":{"a":NaN,"b":-Infinity,"c":1e999,"d":%d,"e":%d}}'

    await send(running, "/v1/track", body % (2**70, -(2**63) - 1), basic(f"{key}:"))

    (event,) = await running.events()
    assert event["properties"]["a"] is event["properties"]["b"] is event["properties"]["c"] is None
    assert event["collector"]["flags"] == ["not_a_number"]
    (row,) = await running_raw(running)
    assert b'"d":1180591620717411303424,"e":-9223372036854775809' in row


async def running_raw(running: Running) -> list[bytes]:
    from redis.asyncio import Redis  # noqa: PLC0415

    async with Redis.from_url(running.settings.redis_url, protocol=2) as client:
        rows: Any = await client.xrange(running.names.stream(0))
    return [fields[b"event"] for _, fields in rows]


async def test_a_preflight_reflects_what_is_asked_and_names_the_origin(running: Running) -> None:
    asked = "authorization,content-type,x-retry-count,rsa-retry-reason"
    headers = {"Origin": "https://a.example", "Access-Control-Request-Headers": asked}

    answer = await running.public.options("/v1/p", headers=headers)

    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Headers"] == asked
    assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


async def test_a_transitional_source_answers_success_and_stores_nothing(running: Running) -> None:
    source = await running.add(bridge="rest", transitional=True)
    key = await add_key(running.parts.catalogue, source.id)

    answer = await send(running, "/v1/batch", {"batch": [CALL, 7]}, basic(f"{key}:"))

    assert answer.status == 200
    assert await running.events() == await running.events("quarantine") == []


async def imported(running: Running, body: Any, **headers: str) -> list[dict[str, Any]]:
    key = await rest_key(running)
    answer = await running.public.post("/v1/import", data=body, headers={**basic(f"{key}:"), **headers})
    assert answer.status == 200
    return [orjson.loads(line) for line in (await answer.read()).splitlines()]


def ndjson(count: int) -> bytes:
    return b"".join(orjson.dumps({**CALL, "messageId": f"m{number}"}) + b"\n" for number in range(count))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
async def test_an_import_reports_on_every_group_of_lines(running: Running, pack: Any) -> None:
    body = ndjson(700) + b"\n  \n{broken\n" + orjson.dumps({**CALL, "messageId": "m0"}) + b'\n{"type":"x"}'

    *groups, last = await imported(running, pack(body))

    assert groups[0] == {"lines": [1, 500], "stored": 500}
    assert (groups[1]["lines"], groups[1]["stored"], groups[1]["duplicate"]) == ([501, 703], 200, [702])
    assert [(row["line"], row["reason"]) for row in groups[1]["refused"]] == [
        (701, "not_json"),
        (703, "unknown_type"),
    ]
    assert last == {"done": True, "lines": 703, "stored": 700, "duplicate": 1, "checked": 0, "refused": 2}
    assert len(await running.events()) == 700
    assert [row["raw"] for row in await running.events("quarantine")] == ["{broken", '{"type":"x"}']


async def test_an_import_takes_one_batch_too(running: Running) -> None:
    assert await imported(running, orjson.dumps({"batch": [CALL]})) == [{"success": True}]


async def test_an_import_that_breaks_off_says_where_to_go_on(running: Running) -> None:
    body = gzip.compress(ndjson(600), compresslevel=1)

    *_, last = await imported(running, body[:-20], **{"Content-Encoding": "gzip"})

    assert (last["code"], last["resumeAtLine"]) == ("bad_encoding", 501)


async def test_an_import_of_nothing_is_refused(running: Running) -> None:
    key = await rest_key(running)

    answer = await running.public.post("/v1/import", data=b" \n", headers=basic(f"{key}:"))

    assert (answer.status, (await answer.json())["code"]) == (400, "empty_body")


async def test_a_bomb_in_an_import_is_read_bit_by_bit_and_its_line_refused(running: Running) -> None:
    key = await rest_key(running)
    bomb = gzip.compress(b"x" * 50_000_000)

    answer = await running.public.post("/v1/import", data=bomb, headers=basic(f"{key}:"))

    assert (answer.status, (await answer.json())["code"]) == (413, "too_large")
