"""The geometry of charts: bars on a round scale, as plain numbers that a template draws as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.stats import Points

_WIDTH, _HEIGHT = 720, 180
_LEFT, _BOTTOM, _TOP = 44, 22, 8
_LABELS = 8  # along the time axis at most
_LINES = 4
_HOUR, _DAY = 3600, 86400


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a moment: its place, and one height for each metric, stacked from the bottom."""

    x: float
    width: float
    parts: list[tuple[str, float, float]]  # metric, y, height
    when: str
    values: dict[str, int]


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart, ready to be drawn: lines are (y, value), labels are (x, text)."""

    width: int
    height: int
    left: int
    bars: list[Bar]
    lines: list[tuple[float, int]]
    labels: list[tuple[float, str]]


def chart(points: Points, step: int, metrics: Sequence[str]) -> Chart:
    """Return the chart of some metrics, one on the other, over all points."""
    top = max((sum(counts.get(metric, 0) for metric in metrics) for _, counts in points), default=0)
    tick = _tick(top)
    highest = max(tick * ceil(top / tick), tick)
    inner = _HEIGHT - _BOTTOM - _TOP
    slot = (_WIDTH - _LEFT) / max(len(points), 1)
    bars = []
    for number, (at, counts) in enumerate(points):
        y, parts = float(_HEIGHT - _BOTTOM), []
        for metric in metrics:
            height = counts.get(metric, 0) / highest * inner
            y -= height
            if height:
                parts.append((metric, round(y, 2), round(height, 2)))
        x = _LEFT + number * slot
        shown = {metric: counts.get(metric, 0) for metric in metrics}
        bars.append(Bar(round(x, 2), round(slot * 0.8, 2), parts, moment(at, step), shown))
    lines = [
        (round(_HEIGHT - _BOTTOM - value / highest * inner, 2), value)
        for value in range(0, highest + 1, tick)
    ]
    every = ceil(len(points) / _LABELS) or 1
    labels = [
        (round(_LEFT + (number + 0.4) * slot, 2), short_moment(at, step))
        for number, (at, _) in enumerate(points)
        if number % every == 0
    ]
    return Chart(_WIDTH, _HEIGHT, _LEFT, bars, lines, labels)


def sparkline(points: Points, metric: str) -> list[tuple[int, float, float]]:
    """Return the bars (x, y, height) of a line of text's size, 2 wide each and at most 24 high."""
    top = max((counts.get(metric, 0) for _, counts in points), default=0) or 1
    heights = [counts.get(metric, 0) / top * 24 for _, counts in points]
    return [(at * 2, round(24 - height, 1), round(height, 1)) for at, height in enumerate(heights) if height]


def moment(at: int, step: int) -> str:
    """Return a moment in full, in UTC."""
    time = datetime.fromtimestamp(at, UTC)
    return time.strftime("%a %Y-%m-%d" if step == _DAY else "%Y-%m-%d %H:%M")


def short_moment(at: int, step: int) -> str:
    """Return a moment as an axis names it, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%a %d" if step == _DAY else "%H:%M")


def _tick(top: int) -> int:
    """Return a round distance between lines: 1, 2 or 5 times a power of ten."""
    rough = max(top, 1) / _LINES
    power = 10 ** floor(log10(rough)) if rough >= 1 else 1
    return int(next(each * power for each in (1, 2, 5, 10) if each * power >= rough))
