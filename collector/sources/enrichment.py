"""What a source may set about enrichment: fields, help and rules."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from collector.model import OPTIONAL_STEPS  # noqa: TC001 - pydantic reads it
from collector.sources.base import StrictModel


class EnrichmentSettings(StrictModel):
    """What is told about the events of a source, and what is done about bots."""

    off: tuple[Literal[OPTIONAL_STEPS], ...] = Field((), description="Steps that are left out.")  # type: ignore[valid-type]
    bots: Literal["label", "drop", "separate"] = Field(
        "label", description="What is done with a bot's events: marked, counted and dropped, or kept apart."
    )
    bots_stream: str = Field(
        "bots", pattern=r"^[A-Za-z0-9_-]{1,50}$", description="Stream for bots that are kept apart."
    )
    own_hosts: tuple[str, ...] = Field(
        (), description="Further hosts of the site: a visitor who comes from one of them is internal."
    )
