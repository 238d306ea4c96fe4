"""Charts are exact: round scales, heights in proportion, every number in a title; and how a source does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from collector.console.charts import chart, sparkline
from collector.model import Event, Outcome, Reason, Refusal

if TYPE_CHECKING:
    from tests.conftest import Running

SCALES = [
    (0, [0, 1]),
    (1, [0, 1]),
    (3, [0, 1, 2, 3]),
    (4, [0, 1, 2, 3, 4]),
    (5, [0, 2, 4, 6]),
    (10, [0, 5, 10]),
    (11, [0, 5, 10, 15]),
    (349, [0, 100, 200, 300, 400]),
    (400, [0, 100, 200, 300, 400]),
    (401, [0, 200, 400, 600]),
    (1_000_001, [0, 500_000, 1_000_000, 1_500_000]),
]


@pytest.mark.parametrize(("top", "values"), SCALES)
def test_a_scale_is_round_and_holds_the_highest_bar(top: int, values: list[int]) -> None:
    drawn = chart([(0, {"events": top})], 60, ("events",))

    assert [value for _, value in drawn.lines] == values
    for _, y, height in drawn.bars[0].parts:
        assert y >= drawn.lines[-1][0] - 0.01, "within the lines"
        assert y + height == pytest.approx(drawn.lines[0][0], abs=0.02), "on the ground"


def test_bars_are_in_proportion_and_say_their_numbers() -> None:
    points = [(60 * at, {"events": number}) for at, number in enumerate((10, 20, 0, 40))]
    drawn = chart(points, 60, ("events",))
    heights = [sum(height for _, _, height in bar.parts) for bar in drawn.bars]

    assert heights == pytest.approx([heights[3] / 4, heights[3] / 2, 0, heights[3]], abs=0.02)
    assert [bar.values["events"] for bar in drawn.bars] == [10, 20, 0, 40]
    assert drawn.bars[1].when == "1970-01-01 00:01"


def test_an_axis_names_few_moments_however_many_there_are() -> None:
    drawn = chart([(at * 60, {}) for at in range(70)], 60, ("events",))

    assert 4 < len(drawn.labels) <= 8


def test_a_sparkline_leaves_out_what_is_nothing() -> None:
    assert sparkline([(0, {}), (60, {"events": 1}), (120, {"events": 2})], "events") == [
        (2, 12.0, 12.0),
        (4, 0.0, 24.0),
    ]


async def test_the_list_says_how_each_source_does(running: Running) -> None:
    for name in ("well", "refusing", "waiting", "off"):
        await running.add(id=name, name=name, enabled=name != "off")
    counters = running.parts.pipeline.counters
    event = Event(0, "id", "track", "v", {"type": "track", "context": {}})
    for name in ("well", "refusing", "off"):
        counters.events(name, [event] * 3, [Outcome(0, "stored")] * 3)
    counters.refused("refusing", Refusal(Reason.ORIGIN_FORBIDDEN))
    await counters.flush()
    text = await (await running.console.get("/sources")).text()

    rows = re.findall(
        r'href="/sources/(well|refusing|waiting|off)".*?data-label="Refused">(\d+) %.*?badge ?\w*">(\w+)<',
        text,
        re.DOTALL,
    )
    assert rows == [
        ("well", "0", "Well"),
        ("refusing", "25", "Refusing"),
        ("waiting", "0", "Waiting"),
        ("off", "0", "Off"),
    ]
