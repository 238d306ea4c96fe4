"""Nothing is lost: what recorded clients sent can be made again from the events, item by item."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

import orjson
import pytest

from collector.protocols import plausible, posthog, snowplow
from collector.protocols.payload import read_payload
from tests.test_dialects import emitted, messages

if TYPE_CHECKING:
    from collections.abc import Mapping

GOLDEN = {path.stem: path for path in (Path(__file__).parent / "wire" / "dialects").glob("*.json")}


def plausibles(message: dict[str, Any], item: Mapping[str, Any]) -> Any:
    again = emitted(
        message, "plausible", item, {**plausible.PLACES, "n": "event" if "event" in message else "name"}
    )
    packed = next((key for key in ("p", "m") if isinstance(item.get(key), str)), "")
    return again | ({packed: orjson.dumps(again[packed]).decode()} if packed else {})


def posthogs(message: dict[str, Any], item: Mapping[str, Any]) -> Any:
    own = {"event": message.get("event"), **message["context"]["posthog"]}
    inside = {**message.get("properties", {}), **own.get("properties", {}), **own.get("ids", {})}
    who = {key: item["properties"][key] for key in ("token", "distinct_id") if key in item["properties"]}
    assert set(map(str, who.values())) <= {
        message.get("anonymousId"),
        message.get("userId"),
        who.get("token"),
    }
    shape = {**message, "context": {**message["context"], "posthog": inside}}
    named = {key: value for key, value in item["properties"].items() if key not in who}
    properties = emitted(shape, "posthog", named, posthog.PROPERTY_PLACES) | who
    outer = {**message, "context": {**message["context"], "posthog": own}}
    said = {key: item[key] for key in ("token", "api_key", "distinct_id") if key in item}
    rest = {key: value for key, value in item.items() if key not in {"properties", *said}}
    return {**emitted(outer, "posthog", rest, posthog.PLACES), **said, "properties": properties}


def snowplows(message: dict[str, Any], item: Mapping[str, Any]) -> Any:
    own = message["context"]["snowplow"]
    again = {}
    for key, value in item.items():
        if key in {"ue_px", "ue_pr"}:
            event = {"schema": own["schema"], "data": message["properties"]}
            again[key] = inner({"schema": own["schemaOfEvent"], "data": event}, value)
        elif key in {"cx", "co"}:
            again[key] = inner({"schema": own["schemaOfContexts"], "data": own["contexts"]}, value)
        else:
            again |= emitted(message, "snowplow", {key: value}, snowplow.PLACES)
    return {key: str(value) for key, value in again.items()}


def inner(value: Any, written: str) -> str:
    """Return the client's own text when it holds the value, so that equal items are equal."""
    text = written.encode()
    if not written.startswith("{"):
        text = base64.urlsafe_b64decode(written.rstrip("=") + "=" * (-len(written.rstrip("=")) % 4))
    assert orjson.loads(text) == value
    return written


RE_EMIT = {"plausible": plausibles, "posthog": posthogs, "snowplow": snowplows}


def sent(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the items of a recorded request."""
    path, body = request["path"], base64.b64decode(request["body"])
    if request["method"] == "GET":
        return [dict(parse_qsl(path.partition("?")[2], keep_blank_values=True))]
    body = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    payload = read_payload(body, "")
    value = payload.value
    if payload.kind == "form":
        value = orjson.loads(base64.b64decode(value["data"].replace(" ", "+")))
    if isinstance(value, dict):
        value = value.get("batch", value.get("data", value))
    return value if isinstance(value, list) else [value]


NAMES = [name for name in sorted(GOLDEN) if name.startswith(tuple(RE_EMIT))]


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_item_can_be_made_again(name: str) -> None:
    dialect = name.partition("-")[0]
    for request in orjson.loads(GOLDEN[name].read_bytes())["requests"]:
        body, (path, _, query) = base64.b64decode(request["body"]), request["path"].partition("?")
        body = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
        if dialect == "posthog" and not path.startswith(("/batch", "/e/", "/i/")):
            continue
        label = request["headers"]
        made = messages(dialect, body, path, quote(query, safe="=&%+"), method=request["method"], **label)
        items = sent(request)
        assert items
        assert [RE_EMIT[dialect](message, item) for message, item in zip(made, items, strict=True)] == items
