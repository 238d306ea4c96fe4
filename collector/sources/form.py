"""The form that a source is made from: checked when people write it, the same when it is stored and read."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from pydantic import (
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from collector.model import CHANNEL_OF, PlainError, Privacy, Source
from collector.sources.base import StrictModel
from collector.sources.enrichment import EnrichmentSettings, StreamName, to_enrichment
from collector.sources.features import can_opt_out
from collector.sources.privacy import PrivacySettings, require_agreement
from collector.sources.secret import Revealed
from collector.sources.settings import SETTINGS
from collector.wording import InWords, place_of, rule_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{1,31}$"),
    InWords("This must be 2 to 32 of a to z, 0 to 9, - and _, and begin with a letter or digit"),
]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=50)]

_ID_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no characters that people mistake for each other


class SourceError(PlainError):
    """A source cannot be made, found or changed; the message is one sentence for a person.

    ``errors`` has a sentence for each field that is wrong, by its dotted path.
    """

    def __init__(self, message: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.errors = dict(errors or {})


class TakenError(SourceError):
    """An id or an alias belongs to another source."""


class StaleError(SourceError):
    """A source has been changed since it was looked at."""


def new_id() -> str:
    """Return a short random id, URL-safe and hard to misread."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(8))


class SourceForm(StrictModel):
    """A source as people write it; ``settings`` is checked by the model of its bridge."""

    id: Name = Field(default_factory=new_id, description="Short name in paths; generated when left out.")
    name: str = Field(min_length=1, max_length=100, description="Name that people read.")
    description: str = Field("", max_length=1000, description="What it is for.")
    channel: str = Field(
        default_factory=str,
        min_length=1,
        max_length=50,
        description="Where the interaction happens; what fits the bridge when left out.",
    )
    bridge: str = Field("web", description="How the data arrives.")
    enabled: bool = Field(default=True, description="Whether hits are taken.")
    transitional: bool = Field(default=False, description="Whether events are checked but not stored.")
    tags: tuple[Tag, ...] = Field((), description="Words to find it by.")
    stream: StreamName = Field("events", description="Stream for its events.")
    retention_hours: int = Field(168, ge=1, le=87600, description="Hours that read events are kept.")
    quota_day: int = Field(0, ge=0, description="Most events it takes in a day (UTC); 0 for any number.")
    quota_month: int = Field(0, ge=0, description="Most events it takes in a month (UTC); 0 for any number.")
    privacy: PrivacySettings = Field(PrivacySettings(), description="What may be kept.")
    enrichment: EnrichmentSettings = Field(EnrichmentSettings(), description="What is told about events.")
    settings: Any = Field(default_factory=dict, description="Settings of the bridge.")

    @field_validator("stream")
    @classmethod
    def _not_capped(cls, value: str) -> str:
        if value == "refused":
            raise ValueError("'refused' keeps the last refusals only: choose another stream")
        return value

    @model_validator(mode="after")
    def _settings_of_bridge(self, info: ValidationInfo) -> SourceForm:
        if self.bridge not in SETTINGS:
            raise ValueError(f"bridge {self.bridge!r} is not one of: {', '.join(SETTINGS)}")
        model = SETTINGS[self.bridge]
        try:
            checked = model.model_validate(self.settings, context=info.context)
        except ValidationError as error:
            raise _below_settings(error) from None
        object.__setattr__(self, "settings", checked)
        object.__setattr__(self, "channel", self.channel or CHANNEL_OF[self.bridge])
        return self


def to_source(form: SourceForm, *, created: str, updated: str, version: int) -> Source:
    """Turn a checked form into the plain Source that the hot path reads."""
    fields = {name: getattr(form, name) for name in SourceForm.model_fields}
    fields |= {"privacy": Privacy(**form.privacy.model_dump()), "enrichment": to_enrichment(form.enrichment)}
    return Source(**fields, created=created, updated=updated, version=version)


def check_form(fields: Mapping[str, Any], known: Revealed | None = None) -> SourceForm:
    """Check the fields of a source; ``known`` are the secrets that masks among them may stand for.

    Raises SourceError that names the field and what is allowed.
    """
    try:
        form = SourceForm.model_validate(fields, context=known)
        # Asked of who writes, not of what is stored: a stricter condition must not take a source away.
        web = form.bridge == "web"
        require_agreement(
            form.privacy,
            form.retention_hours,
            can_object=not web or can_opt_out(form.settings),
            follows=web and bool(form.settings.options.get("domains")),
        )
    except ValidationError as error:
        raise _explained(error) from None
    except ValueError as error:
        raise SourceError(f"{error}.", {"": f"{error}."}) from None
    return form


def _below_settings(error: ValidationError) -> ValidationError:
    """Return the faults of a bridge's model as those of the field that holds it."""
    faults: list[InitErrorDetails] = [
        {
            "type": PydanticCustomError("setting", "{rule}", {"rule": _rule(each)}),
            "loc": ("settings", *each["loc"]),
            "input": None,
        }
        for each in error.errors()
    ]
    return ValidationError.from_exception_data(SourceForm.__name__, faults)


def _rule(fault: ErrorDetails) -> str:
    """Return what is wrong in words for who wrote it."""
    if fault["type"] == "extra_forbidden":
        return "There is no such setting; docs/sources.md lists those that there are"
    return rule_of(fault)


def _explained(error: ValidationError) -> SourceError:
    """Return every fault that was found."""
    errors: dict[str, str] = {}
    for each in error.errors():
        errors.setdefault(place_of(each), _rule(each) + ".")
    where, rule = next(iter(errors.items()))
    return SourceError(f"{where}: {rule}" if where else rule, errors)


def plain(source: Source, revealed: Revealed | None = None) -> dict[str, Any]:
    """Return the fields of a source as people write them, secrets masked unless they are to be revealed."""
    fields: dict[str, Any] = {name: getattr(source, name) for name in SourceForm.model_fields}
    fields |= {name: asdict(getattr(source, name)) for name in ("privacy", "enrichment")}
    fields["settings"] = source.settings.model_dump(exclude_defaults=True, context=revealed)
    return fields


def merge(old: dict[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with changes applied; an object is merged key by key."""
    merged = dict(old)
    for name, value in new.items():
        both = isinstance(value, dict) and isinstance(old.get(name), dict)
        merged[name] = {**old[name], **value} if both else value
    return merged


def rewritten(old: Source, fields: Callable[[dict[str, Any]], dict[str, Any]], updated: str) -> Source:
    """Return the source that ``fields`` makes of the fields of an old one; a mask stands for its secret."""
    secrets = Revealed()
    written = fields(plain(old, secrets))
    if written["id"] != old.id:
        raise SourceError("The id of a source cannot be changed; add an alias instead.")
    form = check_form(written, secrets)
    return to_source(form, created=old.created, updated=updated, version=old.version + 1)


def dump(source: Source) -> bytes:
    """Return a source as stored JSON, on one line, with its secrets."""
    extra = {"created": source.created, "updated": source.updated, "version": source.version}
    return orjson.dumps({**plain(source, Revealed()), **extra})


def load(raw: bytes) -> Source:
    """Read a stored source. Raises ValueError or KeyError when it is none."""
    fields = orjson.loads(raw)
    extra = {name: fields.pop(name) for name in ("created", "updated", "version")}
    return to_source(SourceForm.model_validate(fields), **extra)
