"""Forms made from the typed models of sources: what to show for each field, and how to read it back."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from collector.console.presets import purposes, within
from collector.model import CHANNELS
from collector.protocols.presets import PRESETS as SENDERS
from collector.sources import SETTINGS, SourceForm
from collector.sources.enrichment import EnrichmentSettings
from collector.sources.features import PRESETS, build
from collector.sources.options import DERIVED
from collector.sources.privacy import PrivacySettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from multidict import MultiMapping

    from collector.sources.base import StrictModel

_WORDS = {"id": "Id", "dnt": "Do Not Track", "gpc": "Global Privacy Control", "per_minute": "Most a minute"}
_PLUMBING = {
    "lite",
    "track",
    "ids",
    "store",
    "resume",
    "press",
    "cookie",
    "leaving",
}  # comes along
_KINDS = {"boolean": "check", "integer": "number", "number": "number", "string": "text"}
_OPTION_KINDS = {"list": "lines"} | _KINDS


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field of a form: ``path`` is its name in the form and in errors, ``kind`` how it is shown.

    Kinds are text, number, check, choice, pick (one of a few that need explaining), checks (several of a
    few), lines (one value a line) and json. ``prints`` are the finer print of choices.
    """

    path: str
    label: str
    help: str
    kind: str
    default: Any = None
    choices: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    titles: Mapping[str, str] = dataclasses.field(default_factory=dict)
    prints: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def title(self, choice: str) -> str:
        """Return what a choice is called, with what it stands for."""
        told = self.titles.get(choice, "")
        return f"{choice}: {told}" if told else choice or "none"

    def shown(self, values: Mapping[str, Any]) -> Any:
        """Return the field's value among nested values, as its control shows it."""
        value = find(values, self.path)
        value = self.default if value is None else value
        if self.kind == "lines":
            return "\n".join(str(item) for item in value or ())
        if self.kind == "json":
            return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=list).decode() if value else ""
        return value

    def read(self, form: MultiMapping[Any]) -> Any:
        """Return what a sent form holds for the field. Raises ValueError with one sentence."""
        if self.kind == "check":
            return self.path in form
        if self.kind == "checks":
            return [str(value) for value in form.getall(self.path, [])]
        text = str(form.get(self.path, "")).replace("\r\n", "\n").strip()
        return _READERS.get(self.kind, str)(text) if text else self._nothing()

    def _nothing(self) -> Any:
        if self.kind == "json":
            return self.default if self.default is not None else {}
        return {"lines": [], "number": self.default}.get(self.kind, "")


def general_fields() -> list[Field]:
    """Return the fields that every source has, whatever its bridge."""
    return [field for field in _of_model(SourceForm) if field.path not in _APART]


def bridge_fields(bridge: str) -> list[Field]:
    """Return the fields of a bridge's settings; keys have a page of their own."""
    return [field for field in _of_model(SETTINGS[bridge], "settings.") if field.path not in _APART]


def option_fields() -> list[Field]:
    """Return the options of the tracker as the built one declares them."""
    return [
        Field(
            f"settings.options.{name}",
            name,
            told["help"],
            "choice" if told.get("choices") else _OPTION_KINDS.get(told["type"], "json"),
            told["default"],
            tuple(told.get("choices", ())),
        )
        for name, told in build().settings.items()
        if name not in DERIVED
    ]


def privacy_fields() -> list[Field]:
    """Return the fields of privacy."""
    return _of_model(PrivacySettings, "privacy.")


def enrichment_fields() -> list[Field]:
    """Return the fields of enrichment and rules."""
    return _of_model(EnrichmentSettings, "enrichment.")


def read_form(fields: list[Field], form: MultiMapping[Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what a sent form holds as nested values, and the sentences about what cannot be read."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in fields:
        *parents, last = field.path.split(".")
        place = values
        for parent in parents:
            place = place.setdefault(parent, {})
        try:
            place[last] = field.read(form)
        except ValueError as error:
            errors[field.path] = str(error)
    return values, errors


def by_field(fields: list[Field], errors: Mapping[str, str]) -> dict[str, str]:
    """Return errors by the field that they are about; what is about none of them is under an empty name."""
    told: dict[str, str] = {}
    for where, rule in errors.items():
        holders = [field.path for field in fields if f"{where}.".startswith(f"{field.path}.")]
        holders += [field.path for field in fields if field.path in rule]  # a rule about several fields
        told.setdefault(holders[0] if holders else "", rule[:1].upper() + rule[1:])
    return told


def find(values: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, None when there is none."""
    place: Any = values
    for name in path.split("."):
        place = place.get(name) if isinstance(place, dict) else None
    return place


@cache
def _of_model(model: type[StrictModel], prefix: str = "") -> list[Field]:
    schema = model.model_json_schema()
    return _of_schema(schema, schema.get("$defs", {}), prefix)


def _of_schema(schema: dict[str, Any], parts: dict[str, Any], prefix: str) -> list[Field]:
    fields: list[Field] = []
    for name, told in schema["properties"].items():
        if "$ref" in told and prefix:  # a model in a model: its fields, one by one
            inner = parts[told["$ref"].rpartition("/")[2]]
            fields += _of_schema(inner, parts, f"{prefix}{name}.")
        else:
            fields.append(_field(prefix + name, told))
    return fields


def _field(path: str, told: dict[str, Any]) -> Field:
    name = path.rpartition(".")[2]
    several = told.get("type") == "array"
    choices = told.get("items", told).get("enum") or _CHOICES.get(path, tuple)()
    if several:
        kind = "checks" if choices else "lines" if told["items"].get("type") == "string" else "json"
    else:
        pick = tuple(choices) == tuple(PRESETS)
        kind = "pick" if pick else "choice" if choices else _KINDS.get(told.get("type", ""), "json")
    return Field(
        path,
        _WORDS.get(name) or name.replace("_", " ").capitalize(),
        told.get("description", ""),
        kind,
        told.get("default"),
        tuple(choices),
        CHANNELS if path == "channel" else (),
        _titles(path, kind) if choices else {},
        within() if kind == "pick" else {},
    )


def _titles(path: str, kind: str) -> Mapping[str, str]:
    """Return what the choices of a field stand for, where their names alone do not say it."""
    if kind == "pick":
        return purposes()
    if path == "settings.features":
        return {fragment.name: fragment.help for fragment in build().fragments}
    if path != "settings.preset":
        return {}
    return {name: preset.help for name, preset in SENDERS.items()}


def _features() -> list[str]:
    """Return the features that can be added: what every tracker has anyway is left out."""
    always = {fragment.name for fragment in build().choose("core", ())} | _PLUMBING
    return [fragment.name for fragment in build().fragments if fragment.name not in always]


_CHOICES: dict[str, Callable[[], Any]] = {
    "settings.features": _features,
    "settings.preset": lambda: SENDERS,
}
_APART = {
    *("bridge", "enabled", "privacy", "enrichment", "settings"),
    *("settings.keys", "settings.options"),
}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _number(text: str) -> float:
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        raise ValueError("This must be a number.") from None


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"This is not JSON: {error}.") from None


_READERS: dict[str, Callable[[str], Any]] = {"lines": _lines, "number": _number, "json": _json}
