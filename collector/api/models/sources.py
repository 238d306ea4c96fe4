"""Shapes of sources, and of what they say of themselves."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from collector.api.models.base import PageQuery, Strict
from collector.sources import SETTINGS, SourceForm

_SETTINGS: Any = reduce(or_, SETTINGS.values())
_TYPED: Any = (_SETTINGS, Field(default_factory=dict, description="Settings of the bridge."))
_FIELDS: dict[str, Any] = {name: (each.annotation, each) for name, each in SourceForm.model_fields.items()}
_CHANGES: dict[str, Any] = {
    name: (Annotated[each.annotation, Field(description=each.description), *each.metadata], None)
    for name, each in SourceForm.model_fields.items()
    if name not in {"id", "bridge"}
}
_LOOSE: Any = (dict[str, Any], Field(None, description="Settings of the bridge to change, by name."))

# What is written: the form of a source with the settings of each bridge spelled out. The form itself checks.
SourceNew: type[BaseModel] = create_model("SourceNew", __base__=Strict, **{**_FIELDS, "settings": _TYPED})
SourceChange: type[BaseModel] = create_model(
    "SourceChange", __base__=Strict, **{**_CHANGES, "settings": _LOOSE}
)


class SourceView(Strict):
    """A source. Secrets among its settings are masked; a mask that is sent back stands for its secret."""

    id: str
    name: str
    description: str
    channel: str
    bridge: str
    enabled: bool
    transitional: bool
    tags: list[str]
    stream: str
    retention_hours: int
    quota_day: int
    quota_month: int
    privacy: dict[str, Any]
    enrichment: dict[str, Any]
    settings: dict[str, Any] = Field(description="Those that differ from their defaults.")
    created: str = Field(description="When it was made: ISO 8601, UTC.")
    updated: str = Field(description="When it was last changed.")
    version: int = Field(description="Goes up by one with each change.")


class SourcePage(Strict):
    """Some of the sources; ``next`` is the cursor of those that follow, absent on the last page."""

    items: list[SourceView]
    next: str | None = None


class SourceQuery(PageQuery):
    """Which sources."""

    bridge: str = Field("", max_length=50)
    channel: str = Field("", max_length=50)
    tag: str = Field("", max_length=50)
    q: str = Field("", max_length=200, description="Words in id, name, description and tags.")


class SnippetQuery(Strict):
    """Which variant of the tag."""

    integrity: bool = Field(default=False, description="Pin the bytes (Subresource Integrity).")
    proxy: str | None = Field(
        None, max_length=500, description="Path on your own site that you forward to the collector."
    )


class Snippet(Strict):
    """The tag to paste into a page's head."""

    html: str


class Statement(Strict):
    """A part of the plain privacy statement."""

    heading: str
    text: str


class Statements(Strict):
    """What a source collects and keeps, ready for a privacy page."""

    items: list[Statement]


class FieldChange(Strict):
    """A field that was changed, secrets masked; absent is one that had its default."""

    path: str
    before: Any = None
    after: Any = None


class ChangeView(Strict):
    """Who changed what, when. ``who`` is empty for the collector itself."""

    at: str
    who: str
    what: Literal["add", "change", "remove"]
    version: int
    fields: list[FieldChange]


class ChangePage(Strict):
    """Some of the changes, the latest first."""

    items: list[ChangeView]
    next: str | None = None


class Trial(Strict):
    """A hit to try: a body as the source's senders write it, with headers and address if they matter."""

    body: Any
    headers: dict[str, str] = Field(default={}, max_length=100)
    address: str | None = Field(None, max_length=100)


class TrialReport(Strict):
    """What would become of each item of the hit, and the part of each step, judge and rule in it."""

    items: list[dict[str, Any]]
