"""The settings of each bridge, as typed models: fields, help and rules in one place."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from collector.sources.base import SITES_HELP, Alias, Origin, Site, StrictModel
from collector.sources.email import EmailSettings
from collector.sources.features import PRESETS, known_features
from collector.sources.options import check_options
from collector.sources.queue import QueueSettings
from collector.sources.servers import RestSettings, WebhookSettings
from collector.sources.signing import SigningKey, new_key
from collector.wording import InWords

_EVERYBODY = 100  # percent
Digest = Annotated[
    str,
    StringConstraints(pattern=r"^([0-9a-f]{16})?$"),
    InWords("This must be the 16 characters, 0 to 9 and a to f, that `headwater tracker show` tells"),
]


class WebSettings(StrictModel):
    """How a web source is sent to and what its tracker does."""

    origins: tuple[Origin, ...] = Field(
        ("*",), description="Allowed origins: https://shop.example, https://*.shop.example, or * for any."
    )
    aliases: tuple[Alias, ...] = Field((), description="Further names for the paths of this source.")
    sites: tuple[Site, ...] = Field((), max_length=100, description=SITES_HELP)
    preset: Literal[tuple(PRESETS)] = Field("core", description="Set of tracker features to start from.")  # type: ignore[valid-type]
    features: tuple[str, ...] = Field((), description="Tracker features added to the preset.")
    options: dict[str, Any] = Field(
        default_factory=dict, description="Settings of the tracker by their names: see tracker.md."
    )

    token: Literal["off", "flag", "refuse"] = Field(
        "off",
        description="What is done with hits without a token of a tracker served lately.",
    )
    keys: tuple[SigningKey, ...] = Field(
        (),
        max_length=20,
        description="Keys that sign tokens, the newest first: `headwater tracker rotate`.",
    )

    rollout: int = Field(
        100, ge=0, le=100, description="Share of visitors, in percent, that run the tracker as it is set."
    )
    older: Digest = Field(
        "", description="Digest of the earlier tracker that the rest runs: `headwater tracker show`."
    )

    @property
    def staged(self) -> bool:
        """Whether a part of the visitors runs an older tracker."""
        return self.rollout < _EVERYBODY

    @property
    def asks_for_token(self) -> bool:
        """Whether its tracker carries a token."""
        return self.token in {"flag", "refuse"}

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
                raise ValueError(f"{feature[:100]!r} is no feature: choose from {', '.join(sorted(known))}")
        return value

    @model_validator(mode="after")
    def _with_key(self) -> WebSettings:
        if self.asks_for_token and not self.keys:
            object.__setattr__(self, "keys", (new_key(),))
        return self

    @model_validator(mode="after")
    def _with_older(self) -> WebSettings:
        if self.staged and not self.older:
            raise ValueError("rollout below 100 needs older: the digest of the tracker that the rest runs")
        return self


SETTINGS: dict[str, type[StrictModel]] = {
    "web": WebSettings,
    "rest": RestSettings,
    "webhook": WebhookSettings,
    "email": EmailSettings,
    "queue": QueueSettings,
}
