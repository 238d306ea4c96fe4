"""What the settings of every bridge are built from."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from collector.protocols.dialect import NAMES
from collector.wording import InWords

_SITE = re.compile(rf"^({'|'.join(NAMES)}):[^\s,]{{1,200}}$")
_ORIGIN = re.compile(r"^https?://(\*\.)?[a-z0-9.-]{1,253}(:\d{1,5})?$")


class StrictModel(BaseModel):
    """A model that refuses unknown keys and never changes.

    A field's pattern bounds no repetition of a wide class, such as ``[^ ]{1,1000}``: the engine writes it
    out, each time with all of Unicode, in MiB. ``max_length`` bounds it for nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _known_form(value: str) -> str:
    origin = value.lower().removesuffix("/")  # as an address bar writes it
    if origin != "*" and not _ORIGIN.match(origin):
        raise ValueError(
            f"{value[:100]!r} is no origin: write http:// or https:// and the host, without a path, "
            "such as https://shop.example or https://*.shop.example, or * for any"
        )
    return origin


def _known_site(value: str) -> str:
    if not _SITE.match(value):
        raise ValueError(
            f"{value[:100]!r} is no site: write one of {', '.join(NAMES)}, a colon and the id there"
        )
    return value


Site = Annotated[str, AfterValidator(_known_site)]
Alias = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]{2,64}$"),
    InWords("This must be 2 to 64 letters from A to z, digits, - and _"),
]
Origin = Annotated[str, AfterValidator(_known_form)]

SITE = "site:"
SITES_HELP = "Site ids and tokens of other systems' clients, such as plausible:shop.example or matomo:1."


def site_name(dialect: str, site: str) -> str:
    """Return the name that a dialect's site id has in the catalogue."""
    return f"{SITE}{dialect}:{site}"
