"""Shapes of events, refusals, figures and tests."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from collector.api.models.base import Strict


class LastQuery(Strict):
    """How many."""

    limit: int = Field(50, ge=1, le=200, description="Most items.")


class EntryView(Strict):
    """An event as it stands in a stream."""

    stream: str
    id: str = Field(description="Id of the entry.")
    event: dict[str, Any]


class EntryList(Strict):
    """The last events, newest first."""

    items: list[EntryView]


class RefusalView(Strict):
    """A hit or an event that was not accepted."""

    id: str
    at: float = Field(description="Seconds since 1970.")
    source: str
    reason: str = Field(description="From the closed list: docs/reasons.md.")
    help: str
    detail: str
    where: str = Field(description="Which part of the hit.")


class RefusalList(Strict):
    """The last refusals, newest first."""

    items: list[RefusalView]


class FiguresQuery(Strict):
    """Which span."""

    report: Literal["hour", "day", "week"] = "day"


class FigurePoint(Strict):
    """The counts of one step."""

    at: int = Field(description="Seconds since 1970.")
    counts: dict[str, int] = Field(description="Events, views, bots, duplicates, refused, dropped.")


class TopValue(Strict):
    """A value and how often it came."""

    value: str
    count: int


class TopList(Strict):
    """The values that came most often; not exact when some had to give way."""

    values: list[TopValue]
    exact: bool


class Figures(Strict):
    """What a source took in a span of time."""

    begin: int = Field(description="Seconds since 1970.")
    step: int = Field(description="Seconds from one point to the next.")
    points: list[FigurePoint]
    visitors: int
    lists: dict[str, TopList]


class TestNew(Strict):
    """A test to send: its kind depends on the bridge."""

    kind: str = Field(
        max_length=50,
        description="web: page, click, form, track; rest: track, page, identify; webhook: delivery;"
        " email: open.",
    )
    event: str = Field("", max_length=200, description="Name of the event, where one can be chosen.")
    properties: dict[str, Any] = Field(default={}, max_length=100)


class TestResult(Strict):
    """What the public door answered, and where the event is stored; absent when it waits in the spool."""

    status: int
    reason: str = Field(description="Why it was refused; empty when it was not.")
    answer: str
    entry: EntryView | None = None
