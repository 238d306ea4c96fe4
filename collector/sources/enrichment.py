"""What a source may set about enrichment, rules and schemas: fields, help and checks."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from collector.model import OPTIONAL_STEPS, Enrichment, Rule
from collector.schema import compiled
from collector.sources.base import StrictModel
from collector.wording import InWords

Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
StreamName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,50}$"),
    InWords("This must be 1 to 50 letters from A to z, digits, - and _"),
]
Path = Annotated[
    str,
    StringConstraints(pattern=r"^(properties|traits|context)(\.[^.]+){1,5}$", max_length=600),
    InWords(
        "This must be properties, traits or context and 1 to 5 names, with a dot before each, at most 600"
        " characters"
    ),
]

OtherStream = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,50}$"),
    InWords("This must be at most 50 letters from A to z, digits, - and _"),
]
Scalar = Annotated[str | float | bool, InWords("This must be text, a number, true or false")]


def _is_network(value: str) -> str:
    ipaddress.ip_network(value, strict=False)
    return value


Network = Annotated[str, AfterValidator(_is_network)]


class RuleSettings(StrictModel):
    """A rule: what it matches, then what it does."""

    name: Text = Field(description="What people call it.")
    type: Literal["", "track", "page", "screen", "identify", "group", "alias"] = ""
    event: str = Field("", max_length=500, description="Name of the event, page or screen; * stands for any.")
    url: str = Field("", max_length=500, description="Address of the page; * stands for any text.")
    channel: str = Field("", max_length=50, description="Channel of the source.")
    bot: Literal["", "any", "search", "ai", "preview", "monitor", "tool", "headless", "unknown"] = ""
    properties: dict[Text, Scalar] = Field(default_factory=dict, description="Properties it has.")
    drop: bool = Field(default=False, description="Keep no such event.")
    sample: float = Field(1, gt=0, le=1, description="Keep this part of the visitors; the rate is noted.")
    rename: str = Field("", max_length=500, description="Another name for it.")
    set: dict[Path, Any] = Field(default_factory=dict, description="Fields to set, by dotted path.")
    remove: tuple[Path, ...] = Field((), description="Fields to remove, by dotted path.")
    stream: OtherStream = Field("", description="Stream for it instead of the source's.")


class EnrichmentSettings(StrictModel):
    """What is told about the events of a source, and what is done with them."""

    off: tuple[Literal[OPTIONAL_STEPS], ...] = Field((), description="Steps that are left out.")  # type: ignore[valid-type]
    bots: Literal["label", "drop", "separate"] = Field(
        "label", description="What is done with a bot's events: marked, counted and dropped, or kept apart."
    )
    bots_stream: StreamName = Field("bots", description="Stream for bots that are kept apart.")
    own_hosts: tuple[Text, ...] = Field(
        (), description="Further hosts of the site: a visitor who comes from one of them is internal."
    )
    schema_mode: Literal["off", "flag", "refuse"] = Field(
        "off", description="What is done with a payload that does not fit its schema."
    )
    schemas: dict[Text, dict[str, Any]] = Field(
        default_factory=dict, description="JSON Schemas of properties, by the name of the event."
    )
    rules: tuple[RuleSettings, ...] = Field((), max_length=100, description="Rules; the first match counts.")
    suppress_addresses: tuple[Network, ...] = Field((), description="Networks (CIDR) that are not wanted.")
    suppress_visitors: tuple[Text, ...] = Field((), description="Visitor and user ids that are not wanted.")
    suppress_paths: tuple[Text, ...] = Field((), description="Paths that are not wanted, such as /admin/*.")
    suppress_referrers: tuple[Text, ...] = Field((), description="Referring hosts that are not wanted.")

    @model_validator(mode="after")
    def _schemas_compile(self) -> EnrichmentSettings:
        for name, body in self.schemas.items():
            try:
                compiled(body)
            except ValueError as error:
                raise ValueError(f"schemas.{name}: {error}") from None
        return self


def to_enrichment(settings: EnrichmentSettings) -> Enrichment:
    """Turn checked settings into the plain data that the hot path reads."""
    fields = settings.model_dump()
    return Enrichment(**{**fields, "rules": tuple(Rule(**rule) for rule in fields["rules"])})
