"""The settings of each bridge, as typed models: fields, help and rules in one place."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from collector.sources.base import SITES_HELP, Alias, Origin, Site, StrictModel
from collector.sources.email import EmailSettings
from collector.sources.features import PRESETS, known_features
from collector.sources.options import check_options
from collector.sources.queue import QueueSettings
from collector.sources.servers import RestSettings, WebhookSettings


class WebSettings(StrictModel):
    """How a web source is sent to and what its tracker does."""

    origins: tuple[Origin, ...] = Field(
        ("*",), description="Allowed origins: https://shop.example, https://*.shop.example, or * for any."
    )
    aliases: tuple[Alias, ...] = Field((), description="Further names for the paths of this source.")
    sites: tuple[Site, ...] = Field((), max_length=100, description=SITES_HELP)
    preset: Literal[PRESETS] = Field("core", description="Set of tracker features to start from.")  # type: ignore[valid-type]
    features: tuple[str, ...] = Field((), description="Tracker features added to the preset.")
    options: dict[str, Any] = Field(
        default_factory=dict, description="Settings of the tracker by their names: see tracker.md."
    )

    @field_validator("options")
    @classmethod
    def _known_options(cls, value: dict[str, Any]) -> dict[str, Any]:
        return check_options(value)

    @field_validator("features")
    @classmethod
    def _known_feature(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = known_features()
        for feature in value:
            if feature not in known:
                raise ValueError(f"{feature!r} is no feature: choose from {', '.join(sorted(known))}")
        return value


SETTINGS: dict[str, type[StrictModel]] = {
    "web": WebSettings,
    "rest": RestSettings,
    "webhook": WebhookSettings,
    "email": EmailSettings,
    "queue": QueueSettings,
}
