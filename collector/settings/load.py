"""Read the options from where people set them, and say what is wrong with one in a sentence.

Order of precedence: command-line flag, environment variable, TOML file, default.
"""

from __future__ import annotations

import json
import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from collector.model import PlainError
from collector.settings.options import Settings
from collector.wording import rule_of

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "HEADWATER_"
_CONFIG = f"{PREFIX}CONFIG"
_SECRET = {"redis_url", "stream"}


class SettingsError(PlainError):
    """A setting that is unknown or has a value that is not allowed; the message names all three."""


def load(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from flags, environment and TOML file.

    Raises SettingsError with one sentence that names the option, the value and what is allowed.
    """
    environ = os.environ if environ is None else environ
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    file = given.pop("config", None) or environ.get(_CONFIG)
    values = {**_from_file(file), **_from_environment(environ), **given}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    names = [name for name in environ if name.startswith(PREFIX) and name != _CONFIG]
    return {name.removeprefix(PREFIX).lower(): environ[name] for name in names}


def _from_file(file: str | Path | None) -> dict[str, Any]:
    if not file:
        return {}
    try:
        return tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"The settings file {file} is not UTF-8 text.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {file} is not TOML: {error}.") from None


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0])
    option = f"{name} ({PREFIX}{name.upper()})"
    if first["type"] == "extra_forbidden":
        likely = get_close_matches(name, Settings.model_fields, 1)
        hint = f"Did you mean {likely[0]}? " if likely else ""
        return f"Unknown option {option}. {hint}docs/settings.md lists all."
    value = "(hidden)" if name in _SECRET else _shown(first["input"])
    field = Settings.model_fields[name]
    return f"Option {option} has the value {value}. {rule_of(first)}. It is: {field.description}"


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else json.dumps(value, default=str)
