"""What the events of a hit share is written once, and each event still is its own whole JSON."""

from __future__ import annotations

import json
from typing import Any

from collector.model import Event, SharedContext
from collector.protocols import Batch, Limits
from collector.records import Rules, encode
from tests.conftest import hit

RULES = Rules(Limits(event_bytes=2000), window=3600, quarantine=False)
STAMPED = {"receivedAt", "source", "collector"}


def event(index: int, context: dict[str, Any], **fields: Any) -> Event:
    return Event(index, f"m{index}", "track", "v1", {"messageId": f"m{index}", **fields, "context": context})


def written(*events: Event) -> list[dict[str, Any]]:
    batch = Batch("native", events=list(events))
    return [json.loads(record.data) for record in encode(batch, hit(), RULES)]


def test_every_event_has_its_own_fields_its_context_and_the_stamp() -> None:
    shared: dict[str, Any] = {"locale": "de-CH"}
    rows = written(
        event(0, shared, event="A"),
        event(1, SharedContext({"locale": "fr"}, b'{"locale":"fr"}'), event="B"),
        event(2, shared),
        event(3, {}),
    )

    assert [(row["messageId"], row.get("event"), row["context"]) for row in rows] == [
        ("m0", "A", {"locale": "de-CH"}),
        ("m1", "B", {"locale": "fr"}),
        ("m2", None, {"locale": "de-CH"}),
        ("m3", None, {}),
    ]
    assert all(row.keys() >= STAMPED for row in rows)


def test_what_a_sender_says_in_the_collectors_name_is_overwritten_and_stands_once() -> None:
    batch = Batch("native", events=[event(0, {}, receivedAt="1999", source={"id": "x"}, collector={})])
    data = encode(batch, hit(), RULES)[0].data

    assert b"1999" not in data
    assert [data.count(b'"%s"' % name.encode()) for name in sorted(STAMPED)] == [1, 1, 1]


def test_an_event_with_flags_of_its_own_leaves_the_others_without() -> None:
    flagged = event(0, {})
    flagged.flags = ("cut",)
    rows = written(flagged, event(1, {}))

    assert [row["collector"].get("flags") for row in rows] == [["cut"], None]


def test_an_event_that_is_too_large_is_set_apart_and_the_rest_keep_their_order() -> None:
    batch = Batch("native", events=[event(0, {}), event(1, {}, event="x" * 3000), event(2, {})])
    records = encode(batch, hit(), RULES)

    assert [record.id for record in records] == ["m0", "m2"]
    assert [(index, refusal.reason.code) for index, refusal in batch.refused] == [(1, "event_too_large")]


def test_integers_of_any_length_stay_integers_in_context_and_properties() -> None:
    rows = written(event(0, {"n": 10**30}, properties={"n": 10**25}))

    assert (rows[0]["context"]["n"], rows[0]["properties"]["n"]) == (10**30, 10**25)
