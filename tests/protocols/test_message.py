"""What a broker's message holds: a table of formats, ids that stay the same, and dead letters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from multidict import CIMultiDict

from collector.protocols import Limits
from collector.protocols.message import message
from collector.sources import SourceError, check_form
from collector.sources.queue import QueueSettings
from tests.conftest import hit

if TYPE_CHECKING:
    from collector.protocols import Batch

TRACK = {"type": "track", "event": "Bought", "userId": "u1"}
CLOUD = {"specversion": "1.0", "id": "c1", "source": "/shop", "type": "order.made", "data": {"n": 1}}


def read(settings: dict[str, Any], body: Any, **fields: Any) -> Batch:
    """Return what becomes of a message with the id m1."""
    known = QueueSettings.model_validate(settings)
    return message(known.format, known.plan)(hit(body, id="m1", path="orders", **fields), Limits())


# settings, body, names of the events, their ids
FORMATS = [
    ({"format": "event"}, TRACK, ["Bought"], ["m1"]),
    ({"format": "event"}, {**TRACK, "messageId": "own"}, ["Bought"], ["own"]),
    ({"format": "batch"}, {"batch": [TRACK, TRACK]}, ["Bought"] * 2, ["m1", "m1.1"]),
    ({"format": "segment"}, TRACK, ["Bought"], ["m1"]),
    ({"format": "segment"}, {"batch": [TRACK, TRACK]}, ["Bought"] * 2, ["m1", "m1.1"]),
    ({"format": "tracardi"}, {"source": {"id": "x"}, "events": [{"type": "buy"}]}, ["buy"], ["m1"]),
    ({"format": "cloudevents"}, CLOUD, ["order.made"], None),
    ({"format": "mapping", "event": "order.{body.state}"}, {"state": "paid"}, ["order.paid"], ["m1"]),
    ({"format": "mapping", "event": "{path}", "id": "{body.no}"}, {"no": 7}, ["orders"], ["7"]),
]


@pytest.mark.parametrize(("settings", "body", "names", "ids"), FORMATS)
def test_each_format_is_read_and_an_event_without_an_id_gets_that_of_its_message(
    settings: dict[str, Any], body: Any, names: list[str], ids: list[str] | None
) -> None:
    first, second = read(settings, body), read(settings, body)

    assert [event.message["event"] for event in first.events] == names
    assert [event.id for event in first.events] == [event.id for event in second.events]
    assert ids is None or [event.id for event in first.events] == ids


def test_a_cloudevent_may_have_its_attributes_in_headers() -> None:
    headers = CIMultiDict({f"ce-{name}": value for name, value in CLOUD.items() if name != "data"})
    batch = read({"format": "cloudevents"}, {"n": 1}, headers=headers)

    assert [event.message["event"] for event in batch.events] == ["order.made"]


@pytest.mark.parametrize("form", ["event", "batch", "segment", "tracardi", "cloudevents"])
def test_what_cannot_be_read_is_kept_as_it_came_with_the_reason(form: str) -> None:
    batch = read({"format": form}, b"{nothing")

    assert batch.events == []
    assert [refusal.reason.code for _, refusal in batch.refused] == ["not_json"]
    assert batch.raw == {0: {"id": "m1", "topic": "orders", "body": "{nothing"}}
    assert orjson.dumps(batch.raw[0])


def test_bytes_that_are_no_text_are_kept_too() -> None:
    assert read({"format": "event"}, b"\xff\xfe").raw[0]["base64"] == "//4="


def test_a_hit_without_an_id_of_its_own_gives_new_ones() -> None:
    known = QueueSettings.model_validate({"format": "event"})
    one = replace(hit(TRACK), id="")
    understand = message("event", known.plan)

    assert understand(one, Limits()).events[0].id != understand(one, Limits()).events[0].id


WRONG = [
    ({"address": "redis://user:secret@host"}, "leave user and password out of the address"),
    ({"address": "http://host"}, "must begin with one of: redis, "),
    ({"broker": "nats", "address": "redis://host"}, "must begin with one of: nats, tls"),
    ({"broker": "rabbitmq", "address": "amqp://a@b"}, "leave user and password out of the address"),
    ({"broker": "carrier pigeon"}, "This must be 'redis', 'nats'"),
    ({"key": "/k.pem"}, "key is given without certificate"),
    ({"topic": "two words"}, "1 to 250 characters, none of them a space"),
    ({"prefetch": 0}, "This must be at least 1"),
]


@pytest.mark.parametrize(("settings", "rule"), WRONG)
def test_what_is_wrong_with_the_settings_is_said_in_a_sentence(settings: dict[str, Any], rule: str) -> None:
    with pytest.raises(SourceError, match="settings") as caught:
        check_form({"name": "x", "bridge": "queue", "settings": settings})

    assert rule in str(caught.value)
    assert "secret" not in str(caught.value)
