"""Our own dialect: golden requests become events; odd input becomes a refusal, never an exception."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model import Refusal
from collector.protocols import Limits, native
from collector.protocols.decode import parse
from tests.conftest import hit

WIRE = Path(__file__).parent.parent / "wire"


@pytest.mark.parametrize("file", sorted(WIRE.glob("*.json")), ids=lambda file: file.stem)
def test_a_golden_request_becomes_its_events(file: Path) -> None:
    case = orjson.loads(file.read_bytes())

    batch = native.beacon(hit(case["body"]), Limits())

    assert batch.refused == []
    for expected, event in zip(case["events"], batch.events, strict=True):
        assert expected == {key: event.message[key] for key in expected}


def test_events_without_a_context_of_their_own_share_one_object() -> None:
    body = {"batch": [{"type": "page"}, {"type": "page"}], "context": {"locale": "en"}}

    first, second = native.beacon(hit(body), Limits()).events

    assert first.message["context"] is second.message["context"]


def test_an_event_without_an_id_gets_one_that_sorts_by_time() -> None:
    ids = [native.beacon(hit({"batch": [{"type": "page"}]}), Limits()).events[0].id for _ in range(2)]

    assert ids[0] != ids[1]
    assert ids[0][:13] == ids[1][:13]
    assert ids[0][14] == "7"


PIXELS = [
    ("", {"type": "page"}),
    ("event=Opened&p.plan=pro", {"type": "track", "event": "Opened", "properties": {"plan": "pro"}}),
    (
        "url=https%3A%2F%2Fa.example%2Fx&title=T",
        {"context": {"page": {"url": "https://a.example/x", "title": "T"}}},
    ),
    ("anonymousId=v1&userId=u1&messageId=m1", {"anonymousId": "v1", "userId": "u1", "messageId": "m1"}),
    ("event=%ff%fe", {"event": "\ufffd\ufffd"}),
]


@pytest.mark.parametrize(("query", "expected"), PIXELS)
def test_a_pixel_is_one_event_from_the_query(query: str, expected: dict[str, Any]) -> None:
    event = native.pixel(hit(query=query), Limits()).events[0]

    assert expected == {key: event.message[key] for key in expected}


def test_a_pixel_takes_the_page_from_the_referer() -> None:
    event = native.pixel(hit(headers={"Referer": "https://a.example/"}), Limits()).events[0]

    assert event.message["context"]["page"] == {"url": "https://a.example/"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
FIELDS = ["type", "event", "messageId", "properties", "context", "userId", "timestamp", "originalTimestamp"]
ITEMS = st.dictionaries(st.sampled_from(FIELDS), JSON | st.sampled_from(["page", "track"]), max_size=8)
ENVELOPES = st.fixed_dictionaries(
    {"batch": st.lists(JSON | ITEMS, max_size=5), "sentAt": JSON, "context": JSON}
)


@given(ENVELOPES)
def test_every_item_of_any_batch_is_either_an_event_or_a_refusal(envelope: dict[str, Any]) -> None:
    body = orjson.dumps(envelope)
    try:
        batch = native.beacon(hit(body), Limits())
    except Refusal:
        return

    places = [event.index for event in batch.events] + [index for index, _ in batch.refused]
    assert sorted(places) == list(range(len(envelope["batch"])))
    assert all(orjson.dumps(event.message) for event in batch.events)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_batch_or_a_refusal(body: bytes) -> None:
    with contextlib.suppress(Refusal):
        assert native.beacon(hit(body), Limits()).protocol == "native"


@given(st.text(max_size=300))
def test_any_query_is_an_event_or_a_refusal(query: str) -> None:
    batch = native.pixel(hit(query=query), Limits())

    assert len(batch.events) + len(batch.refused) == 1


def test_what_breaks_a_body_is_told_with_its_place() -> None:
    with pytest.raises(Refusal) as refusal:
        parse(b'{"name')

    assert refusal.value.detail == "Unterminated string starting at character 1."
