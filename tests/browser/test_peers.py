"""The comparison with other trackers: its page is what was measured, and its rules are fair to ours."""

from __future__ import annotations

import json

import pytest

from benchmarks.peers import report
from benchmarks.peers.__main__ import measure
from benchmarks.peers.built import ours
from benchmarks.peers.understood import events, views


def test_the_page_shows_the_results_that_are_kept_and_nothing_else() -> None:
    results = json.loads(report.RESULTS.read_text(encoding="utf-8"))
    shown = report.PAGE.read_text(encoding="utf-8").split(report.BEGIN)[1].split(report.END)[0]

    assert shown == report.made(results)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", b'{"batch": [{"event": "peer-event-1", "messageId": "a"}]}'),
        (
            "",
            b"data=%5B%7B%22event%22%3A%22peer-event-1%22%2C%22properties%22%3A%7B%22%24insert_id%22%3A%22a%22%7D%7D%5D",
        ),
        ("e=se&se_ac=peer-event-1&eid=a", b""),
        ("data=eyJldmVudCI6ICJwZWVyLWV2ZW50LTEiLCAidXVpZCI6ICJhIn0=", b""),
    ],
    ids=["JSON", "JSON in a form", "query", "base64 in the query"],
)
def test_an_event_is_found_with_its_id_in(query: str, body: bytes) -> None:
    assert list(events(query, body)) == [("peer-event-1", "a")]


def test_a_view_is_what_the_tracker_calls_so() -> None:
    assert views("/e", "", b'{"batch": [{"type": "page"}, {"type": "track"}]}', ("type", "page")) == 1


async def test_ours_is_measured_by_the_same_rules() -> None:
    _, [row] = await measure([ours("core")], ["navigation", "history"], loads=1)

    assert row["scenarios"]["navigation"]["arrived"] == 1
    assert row["scenarios"]["history"] == {"sent": 4, "arrived": 4, "at_once": 4, "doubled": 0, "copies": 0}
    assert row["view"]["requests"] == 1
    assert 0 < row["start"]["start"] <= row["start"]["all"]
    assert 0 < row["start"]["longest"] <= row["start"]["all"]
    assert row["use"]["event"] > 0
    assert row["use"]["close"] > 0
