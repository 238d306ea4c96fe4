"""Shapes of write keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from collector.api.models.base import Strict


class KeyNew(Strict):
    """A write key to make."""

    label: str = Field("", max_length=100, description="Who uses it.")
    origins: list[Annotated[str, Field(max_length=300)]] = Field(
        default=[], max_length=20, description="Origins that may use it: makes it a browser key."
    )


class KeyRotation(Strict):
    """How the old key ends."""

    overlap_hours: float = Field(24, ge=0, le=24 * 365, description="How long it still works.")


class KeyView(Strict):
    """A write key; the key itself is not kept."""

    id: str
    label: str
    origins: list[str]
    created: str
    expires: str = Field(description="When it ends; empty for never.")


class KeyList(Strict):
    """The write keys of a source."""

    items: list[KeyView]


class KeyMade(Strict):
    """A key, whole: the only time that it can be read."""

    key: str
