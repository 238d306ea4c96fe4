"""What is held of one person can be handed out and removed; a tombstone stays, and nobody else is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from tests.enrich.command import headwater

if TYPE_CHECKING:
    from tests.conftest import Running


def _event(user: str, **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Seen", "userId": user, **fields}


async def _two_people(running: Running) -> str:
    rules = [{"name": "r", "event": "Elsewhere", "stream": "elsewhere"}]
    source = await running.add(privacy={"visitors": "cookie"}, enrichment={"rules": rules})
    mine = [_event("jane"), _event("jane", event="Elsewhere"), _event("x", anonymousId='a"1')]
    theirs = [_event("john", properties={"text": "jane"}), _event("jane2")]
    await running.post(source.id, {"batch": [*mine, *theirs]})
    return source.id


async def test_an_export_holds_all_of_one_person(running: Running) -> None:
    await _two_people(running)

    status, out = await headwater(running.settings, "export", "--user", "jane", "--visitor", 'a"1')

    assert status == 0
    events = [orjson.loads(line)["event"] for line in out.splitlines()]
    assert {(event["userId"], event["event"]) for event in events} == {
        ("jane", "Seen"),
        ("jane", "Elsewhere"),
        ("x", "Seen"),
    }


async def test_forgetting_removes_one_person_and_leaves_a_tombstone(running: Running) -> None:
    await _two_people(running)

    status, out = await headwater(running.settings, "forget", "--user", "jane", "--yes")

    assert (status, out) == (0, b"Removed 2 events and 0 kept deliveries.\n")
    events, elsewhere = await running.events(), await running.events("elsewhere")
    assert [event["userId"] for event in events if event["type"] == "track"] == ["x", "john", "jane2"]
    assert [event["type"] for event in elsewhere] == ["forget"]
    assert events[-1]["type"] == "forget"
    assert events[-1]["userId"] == "jane"


async def test_who_is_blocked_comes_no_more(running: Running) -> None:
    source = await _two_people(running)

    await headwater(running.settings, "forget", "--user", "jane", "--block", "--yes")

    await running.parts.catalogue.load()
    await running.post(source, {"batch": [_event("jane")]})
    assert "jane" not in [event["userId"] for event in await running.events() if event["type"] == "track"]


async def test_a_person_must_be_named(running: Running) -> None:
    status, _ = await headwater(running.settings, "export")

    assert status == 2
