"""What every shape is built from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A shape without unknown fields."""

    model_config = ConfigDict(extra="forbid", defer_build=True)  # built when a first call uses it


class PageQuery(Strict):
    """Where a list begins and how long it is."""

    cursor: str = Field("", max_length=500, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=200, description="Most items.")


class Count(Strict):
    """How many."""

    count: int
