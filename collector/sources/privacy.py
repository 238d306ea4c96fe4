"""What a source may set about privacy, and the presets that hold it to an authority's conditions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from collector.sources.base import StrictModel

Key = Annotated[str, StringConstraints(min_length=1, max_length=100)]

# 25 months, the longest that the CNIL lets audience data be kept without consent.
CNIL_RETENTION_HOURS = 25 * 365 * 24 // 12


class PrivacySettings(StrictModel):
    """What a source may keep of a person."""

    preset: Literal["", "cnil"] = Field(
        "",
        description="Conditions to hold the source to: cnil, audience measurement without consent in France.",
    )
    visitors: Literal["cookieless", "cookie", "anonymous"] = Field(
        "cookieless", description="How visitors are told apart: daily hash, first-party id, or not at all."
    )
    cookie: Literal["script", "server"] = Field(
        "script",
        description="Who sets the cookie of the mode cookie; the server, on its own host over HTTPS.",
    )
    consent: Literal["none", "required"] = Field(
        "none", description="Whether an event needs the visitor's consent."
    )
    before_consent: Literal["nothing", "views"] = Field(
        "nothing", description="What is taken without consent: nothing, or page views that name nobody."
    )
    address: Literal["none", "network"] = Field(
        "none", description="Whether the client's network (/24 or /48) is kept."
    )
    gpc: Literal["record", "anonymous", "drop"] = Field(
        "anonymous", description="What Global Privacy Control does: noted only, no visitor, or no event."
    )
    dnt: Literal["ignore", "record", "anonymous", "drop"] = Field(
        "ignore", description="What Do Not Track does."
    )
    parameters: tuple[Key, ...] = Field(
        (), description="Query parameters that are kept beside those of campaigns; * keeps all."
    )
    remove: tuple[Key, ...] = Field(
        (), description="Properties and traits that are never kept, by name, however nested."
    )
    values: dict[Key, Literal["hash", "mask", "shorten"]] = Field(
        default_factory=dict,
        description="Properties and traits whose values are rewritten, by name: hash, mask or shorten.",
    )
    scan: bool = Field(
        default=False,
        description="Whether e-mail addresses, cards, phones and tokens are redacted in properties too.",
    )


def require_agreement(
    privacy: PrivacySettings, retention_hours: int, *, can_object: bool, follows: bool
) -> None:
    """Raise ValueError that names what stands against the preset's conditions, or against another setting.

    ``can_object`` tells whether the tracker has an opt-out, ``follows`` whether it goes from site to site.
    """
    if privacy.cookie == "server" and privacy.before_consent == "views":
        raise ValueError("privacy.before_consent must be nothing when the server sets the cookie")
    if privacy.preset != "cnil":
        return
    if privacy.gpc == "record":
        raise ValueError("privacy.gpc must be anonymous or drop under the cnil preset")
    if "*" in privacy.parameters:
        raise ValueError("privacy.parameters must name each parameter under the cnil preset")
    if retention_hours > CNIL_RETENTION_HOURS:
        raise ValueError(f"retention_hours may be {CNIL_RETENTION_HOURS} (25 months) under the cnil preset")
    if follows:
        raise ValueError(
            "settings.options.domains must be empty under the cnil preset: one site, one visitor"
        )
    if not can_object:
        raise ValueError("settings.preset lite has no opt-out, for which the cnil preset asks: choose core")
