"""Shapes of what is held of people."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from collector.api.models.base import Strict


class PersonQuery(Strict):
    """Who is meant: any of these fits. In the body, so that no log of addresses names people."""

    user: str = Field("", max_length=500, description="The user's id (userId).")
    visitor: str = Field("", max_length=500, description="The visitor's id (anonymousId).")
    email: str = Field("", max_length=500, description="E-mail address, or its SHA-256.")


class PersonPageQuery(PersonQuery):
    """Who is meant, and which part of the timeline."""

    cursor: str = Field("", max_length=500, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=200, description="Most events.")


class Forgetting(PersonQuery):
    """Who is to be forgotten."""

    block: bool = Field(default=False, description="Keep no event of the ids from now on, in any source.")


class HeldView(Strict):
    """An event of a person, and where it is."""

    stream: str
    entry: str
    event: dict[str, Any]


class Timeline(Strict):
    """Some of the events of a person, newest first."""

    items: list[HeldView]
    next: str | None = None


class ExportLine(Strict):
    """A line of an export: an event of a stream, one that waits in the spool, or a kept delivery."""

    stream: str = Field("", description="Name of the stream's key.")
    entry: str = ""
    spool: str = Field("", description="Stream that the event waits for.")
    event: dict[str, Any] = Field(default={})
    delivery: Any = None


class ForgottenView(Strict):
    """How much was removed."""

    events: int
    deliveries: int = Field(description="Kept deliveries.")
