"""The beacon through the real door: what is stored, what is answered, what is refused and why."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Running

BOTH_WAYS = True

PAGE = {
    "type": "page",
    "messageId": "m1",
    "context": {"page": {"url": "https://shop.example/a?utm_source=news"}},
}


async def test_a_safe_batch_is_answered_204_and_is_in_the_stream_in_order(running: Running) -> None:
    source = await running.add()
    batch = [PAGE, {"type": "track", "event": "Signed up", "messageId": "m2", "properties": {"plan": "pro"}}]

    answer = await running.post(source.id, {"batch": batch, "anonymousId": "v1", "sentAt": 1767323045000})

    assert answer.status == 204
    events = await running.events()
    assert [(event["messageId"], event["type"]) for event in events] == [("m1", "page"), ("m2", "track")]
    assert events[0]["context"]["campaign"] == {"source": "news"}
    assert events[0]["source"] == {"id": source.id, "bridge": "web", "channel": "Web"}
    assert events[1]["properties"] == {"plan": "pro"}


async def test_an_event_sent_twice_is_stored_once_and_answered_as_success(running: Running) -> None:
    source = await running.add()

    answers = [await running.post(source.id, {"batch": [PAGE]}) for _ in range(3)]

    assert [answer.status for answer in answers] == [204, 204, 204]
    assert len(await running.events()) == 1


async def test_the_same_id_at_two_sources_is_two_events(running: Running) -> None:
    first, second = await running.add(), await running.add()

    for source in (first, second):
        await running.post(source.id, {"batch": [PAGE]})

    assert [first.id, second.id] == [event["source"]["id"] for event in await running.events()]


async def test_good_events_are_kept_beside_bad_ones_and_each_has_its_outcome(running: Running) -> None:
    source = await running.add()
    batch: list[Any] = [PAGE, 7, {"type": "track"}, {"type": "nonsense"}, {**PAGE, "messageId": "m2"}]

    answer = await running.post(source.id, {"batch": batch})

    assert answer.status == 200
    assert answer.headers["X-Headwater-Reason"] == "missing_field, not_an_object, unknown_type"
    outcomes = (await answer.json())["events"]
    assert [row["outcome"] for row in outcomes] == ["stored", "refused", "refused", "refused", "stored"]
    assert len(await running.events()) == 2


DEEP = b'{"batch":' + b"[" * 3000 + b"]" * 3000 + b"}"
NESTED = {"batch": [{"type": "page", "properties": {"a": [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}}]}

BAD_BODIES = [
    (b"", 400, "empty_body"),
    (b"hello", 400, "not_json"),
    (b'{"batch": [}', 400, "not_json"),
    (b"[1, 2]", 400, "not_an_object"),
    (b'"text"', 400, "not_an_object"),
    (b"{}", 400, "not_a_list"),
    (b'{"batch": {"type": "page"}}', 400, "not_a_list"),
    (b'{"batch": [{"type": "page", "properties": {"a": NaN}}]}', 400, "not_a_number"),
    (b'{"batch": [{"type": "page", "properties": {"a": -Infinity}}]}', 400, "not_a_number"),
    (b'{"batch": ["\xff\xfe"]}', 400, "not_utf8"),
    (DEEP, 400, "too_deep"),
    (NESTED, 400, "too_deep"),
    (b'{"batch": [' + b"9" * 5000 + b"]}", 400, "not_json"),
    ({"batch": [{"type": "page"}] * 501}, 413, "too_many_events"),
    ({"batch": [{"type": "page", "properties": [1]}]}, 400, "wrong_type"),
    ({"batch": [{"type": "page", "context": "x"}]}, 400, "wrong_type"),
    ({"batch": [], "context": []}, 400, "wrong_type"),
    ({"batch": [{"type": "track", "event": {"a": 1}}]}, 400, "wrong_type"),
    ({"batch": [{"type": "page", "messageId": "x" * 101}]}, 400, "field_too_long"),
    ({"batch": [{"type": "page", "properties": {"a": "x" * 70_000}}]}, 400, "event_too_large"),
    (b" " * (256 * 1024 + 1), 413, "too_large"),
]


@pytest.mark.parametrize(("body", "status", "reason"), BAD_BODIES)
async def test_a_bad_body_is_refused_with_its_own_reason(
    running: Running, body: Any, status: int, reason: str
) -> None:
    source = await running.add()

    answer = await running.post(source.id, body)

    assert (status, reason) == (answer.status, answer.headers["X-Headwater-Reason"])
    assert {"code", "message"} <= set(await answer.json())
    assert await running.events() == []


async def test_a_lone_surrogate_is_repaired_and_not_lost(running: Running) -> None:
    source = await running.add()

    answer = await running.post(source.id, b'{"batch": [{"type": "track", "event": "a\\ud800b"}]}')

    assert answer.status == 204
    assert (await running.events())[0]["event"] == "a\ufffdb"


async def test_an_empty_batch_is_answered_204(running: Running) -> None:
    source = await running.add()

    assert (await running.post(source.id, {"batch": []})).status == 204


ENCODINGS = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", lambda data: zlib.compress(data)[2:-4]),
]


@pytest.mark.parametrize(("encoding", "compress"), ENCODINGS)
async def test_gzip_and_both_kinds_of_deflate_are_inflated(
    running: Running, encoding: str, compress: Any
) -> None:
    source = await running.add()

    answer = await running.post(
        source.id, compress(b'{"batch":[{"type":"page"}]}'), Content_Encoding=encoding
    )

    assert answer.status == 204
    assert len(await running.events()) == 1


TWICE = gzip.compress(gzip.compress(b'{"batch":[]}', mtime=0), mtime=0)
BAD_ENCODINGS = [
    ("br", b"x", 415, "unknown_encoding"),
    ("zstd", b"x", 415, "unknown_encoding"),
    ("gzip, gzip", b"x", 415, "unknown_encoding"),
    ("gzip, gzip", TWICE, 400, "not_utf8"),
    ("gzip", TWICE, 400, "not_utf8"),
    ("gzip", b"not gzip", 400, "bad_encoding"),
    ("gzip", gzip.compress(b'{"batch":[]}', mtime=0)[:-9], 400, "bad_encoding"),
    ("gzip", gzip.compress(b" " * 50_000_000, mtime=0), 413, "inflated_too_large"),
]


@pytest.mark.parametrize(("encoding", "body", "status", "reason"), BAD_ENCODINGS)
async def test_a_bad_encoding_is_refused(
    running: Running, encoding: str, body: bytes, status: int, reason: str
) -> None:
    source = await running.add()

    answer = await running.post(source.id, body, Content_Encoding=encoding)

    assert (status, reason) == (answer.status, answer.headers["X-Headwater-Reason"])


async def test_an_unknown_and_a_disabled_source_are_refused(running: Running) -> None:
    source = await running.add(enabled=False)

    unknown = await running.post("nobody", {"batch": [PAGE]})
    disabled = await running.post(source.id, {"batch": [PAGE]})

    assert (unknown.status, unknown.headers["X-Headwater-Reason"]) == (404, "unknown_source")
    assert (disabled.status, disabled.headers["X-Headwater-Reason"]) == (403, "source_disabled")


ORIGINS = [
    ({"Origin": "https://shop.example"}, True),
    ({"Origin": "https://a.b.shop.test"}, True),
    ({"Origin": "https://shop.test"}, False),
    ({"Origin": "https://evilshop.example"}, False),
    ({"Origin": "https://shop.example.evil.test"}, False),
    ({"Origin": "http://shop.example"}, False),
    ({"Origin": "null"}, False),
    ({"Referer": "https://shop.example/cart"}, True),
    ({"Referer": "https://evil.test/https://shop.example"}, False),
    ({}, False),
]


@pytest.mark.parametrize(("headers", "allowed"), ORIGINS)
async def test_only_the_allowed_origins_may_send(
    running: Running, headers: dict[str, str], allowed: bool
) -> None:
    source = await running.add(settings={"origins": ["https://shop.example", "https://*.shop.test"]})

    answer = await running.post(source.id, {"batch": [PAGE]}, **headers)

    assert answer.status == (204 if allowed else 403)
    if not allowed:
        assert answer.headers["X-Headwater-Reason"] == "origin_forbidden"


async def test_a_page_can_read_every_answer_and_its_retry_after(running: Running) -> None:
    source = await running.add()

    for body in ({"batch": [PAGE]}, b"broken"):
        answer = await running.post(source.id, body, Origin="https://shop.example")

        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


async def test_a_transitional_source_checks_events_and_stores_none(running: Running) -> None:
    source = await running.add(transitional=True)

    assert (await running.post(source.id, {"batch": [PAGE]})).status == 204
    assert (await running.post(source.id, {"batch": [{"type": "x"}]})).status == 400
    assert await running.events() == []


async def test_a_source_that_needs_consent_refuses_events_without_it(running: Running) -> None:
    source = await running.add(privacy={"consent": "required"})

    refused = await running.post(source.id, {"batch": [PAGE]})
    taken = await running.post(source.id, {"batch": [PAGE], "context": {"consent": {"analytics": True}}})

    assert (refused.status, refused.headers["X-Headwater-Reason"]) == (400, "consent_missing")
    assert taken.status == 204
