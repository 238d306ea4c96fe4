"""The settings of the bridges that servers send to: write keys, and what a webhook's deliveries hold."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from collector.protocols.presets import PRESETS, Preset
from collector.protocols.signature import Recipe
from collector.protocols.template import template
from collector.protocols.webhook import Plan
from collector.sources.base import SITES_HELP, Alias, Origin, Site, StrictModel
from collector.sources.secret import Secret
from collector.wording import InWords


def _readable(value: str) -> str:
    template(value)
    return value


Path = Annotated[str, Field(max_length=500), AfterValidator(_readable)]
GivenSecret = Annotated[Secret, Field(min_length=1, max_length=2000)]
Keep = Annotated[
    Literal["off", "refused", "all"],
    Field(description="Which hits are kept as they came, to be looked at and replayed."),
]
KEY_NAME = "key:"
KeyId = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]{4,16}$"),
    InWords("This must be 4 to 16 of a to z and 0 to 9"),
]
Header = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$"),
    InWords("This must be 1 to 100 letters from A to z, digits and -"),
]
PageAddress = Annotated[
    str,
    StringConstraints(pattern=r"^(https?://[^\s]+)?$", max_length=2000),
    InWords("This must begin with https:// or http://, and be at most 2000 characters without a space"),
]


class WriteKey(StrictModel):
    """A key that may write to a source. The key itself is not kept, only its digest."""

    id: KeyId = Field(description="Short name to rotate and revoke it by.")
    digest: Secret = Field(min_length=64, max_length=64, description="SHA-256 of the key.")
    label: str = Field("", max_length=100, description="Who uses it.")
    origins: tuple[Origin, ...] = Field(
        (), description="Origins that may use it. A key with origins is public: browsers carry it."
    )
    created: str = Field("", description="When it was made.")
    expires: str = Field("", description="When it ends; empty for never.")

    @property
    def name(self) -> str:
        """The name that leads from the key to its source in the catalogue."""
        return KEY_NAME + self.digest.get_secret_value()


class RestSettings(StrictModel):
    """How a rest source is sent to."""

    keys: tuple[WriteKey, ...] = Field((), max_length=100, description="Write keys: see `headwater key`.")
    sites: tuple[Site, ...] = Field((), max_length=100, description=SITES_HELP)
    keep: Keep = "refused"


class SignatureSettings(StrictModel):
    """How a provider without a preset signs."""

    header: Header = Field("X-Signature", description="Header it comes in.")
    prefix: str = Field("", max_length=50, description="What stands before it, such as sha256=.")
    encoding: Literal["hex", "base64"] = Field("hex", description="How it is written.")
    digest: Literal["sha1", "sha256", "sha384", "sha512"] = Field("sha256", description="Digest of the HMAC.")
    signed: str = Field(
        "{body}",
        max_length=200,
        description="What is signed, made of {id}, {timestamp}, {method}, {url}, {form} and {body}.",
    )
    timestamp: Path = Field("", description="Where the signed time is, such as {header.x-timestamp}.")
    unit: Literal["s", "ms"] = Field("s", description="Unit of the signed time.")
    tolerance_seconds: int = Field(300, ge=0, description="How old a delivery may be; 0 for any age.")
    id: Path = Field("", description="Where the signed id is, such as {header.x-id}.")
    key: Literal["raw", "base64"] = Field("raw", description="Whether the secret is base64.")

    def recipe(self) -> Recipe:
        """Return the recipe that these settings describe."""
        fields = self.model_dump(exclude={"header", "unit"})
        return Recipe(f"{{header.{self.header}}}", unit_ms=1 if self.unit == "ms" else 1000, **fields)


class WebhookSettings(StrictModel):
    """What a webhook source receives. Empty templates are the preset's."""

    preset: str = Field("json", description=f"Who sends: {', '.join(PRESETS)}.")
    secrets: tuple[GivenSecret, ...] = Field(
        (), max_length=10, description="Secrets or public keys; while one is replaced, the old and the new."
    )
    signature: SignatureSettings = Field(SignatureSettings(), description="How preset hmac is signed.")
    event: Path = Field("", description="Name of the event, such as {header.x-event}.{body.action}.")
    id: Path = Field("", description="Id of the delivery; one seen before is not stored again.")
    time: Path = Field("", description="When it happened: ISO 8601, seconds or milliseconds.")
    user: Path = Field("", description="The user id.")
    anonymous: Path = Field("", description="The visitor's anonymous id.")
    hash_user: bool = Field(default=False, description="Whether the user id is kept as SHA-256 only.")
    properties: dict[str, Path] = Field(
        default_factory=dict, description="Properties by name; without any, the whole body."
    )
    origins: tuple[Origin, ...] = Field(("*",), description="Origins that a form may be sent from.")
    thank_you: PageAddress = Field("", description="Page that a form leads to, by 303.")
    honeypot: str = Field("", max_length=100, description="Form field that people do not see.")
    per_minute: int = Field(0, ge=0, description="Most deliveries a minute from one address; 0 for any.")
    keep: Keep = "refused"
    aliases: tuple[Alias, ...] = Field((), description="Further names for the paths of this source.")

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, value: str) -> str:
        if value not in PRESETS:
            raise ValueError(f"{value!r} is no preset: choose from {', '.join(PRESETS)}")
        return value

    @cached_property
    def plan(self) -> Plan:
        """What deliveries are read by."""
        preset = _with_own(self)
        secrets = tuple(secret.get_secret_value() for secret in self.secrets)
        return Plan(self.preset, preset, secrets, self.anonymous, self.hash_user, self.properties or None)


def _with_own(settings: WebhookSettings) -> Preset:
    own = {name: value for name in ("event", "id", "time", "user") if (value := getattr(settings, name))}
    preset = replace(PRESETS[settings.preset], **own)
    if settings.preset != "hmac":
        return preset
    return replace(preset, recipe=settings.signature.recipe(), id=preset.id or settings.signature.id)
