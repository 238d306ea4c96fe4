"""Shapes of how things are."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from collector.api.models.base import Strict


class Me(Strict):
    """Who asks, and what they may do."""

    name: str
    scopes: list[str]


class HealthView(Strict):
    """Whether hits can be made safe, and the figures of the stream."""

    version: str
    safe: bool
    stream: dict[str, Any]
    collectors: list[dict[str, Any]] = Field(description="The processes that run, and what they know.")
    sources_fresh: bool = Field(description="Whether the sources are as in Redis, not from the snapshot.")


class Check(Strict):
    """One thing that was looked at."""

    right: bool
    name: str
    text: str


class CheckList(Strict):
    """All that was looked at; right when each is."""

    right: bool
    items: list[Check]
