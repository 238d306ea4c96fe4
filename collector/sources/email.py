"""The settings of an email source, and the tokens that its signing keys sign."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints, model_validator

from collector.links import LinkError, Mark, Purpose, Signer, key_id_of, recipient_of
from collector.model import Reason, Refusal, Source
from collector.sources.base import StrictModel
from collector.sources.signing import SigningKey, new_key, signing_name
from collector.wording import InWords

if TYPE_CHECKING:
    from collections.abc import Callable

Parameter = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,63}\*?$"),
    InWords("This must be 1 to 63 letters from A to z, digits, -, _ and dots; a * may stand at its end"),
]
Host = Annotated[
    str,
    StringConstraints(pattern=r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$", max_length=253),
    InWords(
        "This must be a host in small letters, such as shop.example, or *.shop.example with those below it"
    ),
]
ClickParameter = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Za-z0-9_.-]{1,64})?$"),
    InWords("This must be at most 64 letters from A to z, digits, -, _ and dots"),
]


class EmailSettings(StrictModel):
    """What the links of an email source may do."""

    keys: tuple[SigningKey, ...] = Field(
        (), max_length=20, description="Signing keys, the newest first: see `headwater link rotate`."
    )
    hosts: tuple[Host, ...] = Field(
        (), description="The only hosts that links may lead to: shop.example, *.shop.example. Empty for any."
    )

    pass_on: tuple[Parameter, ...] = Field(
        (),
        max_length=50,
        description="Parameters that a link passes on from its own address to its target: gclid, utm_*.",
    )
    click_parameter: ClickParameter = Field(
        "",
        description="Parameter that tells the target the click's messageId; empty for none.",
    )

    journey: bool = Field(
        default=False,
        description="Whether a click tells the target's tracker, for ten minutes, which recipient came.",
    )

    @model_validator(mode="after")
    def _with_key(self) -> EmailSettings:
        if not self.keys:
            object.__setattr__(self, "keys", (new_key(),))
        return self


def email_source(source: Source) -> Source:
    """Return the source if it is an email source. Raises LinkError."""
    if not isinstance(source.settings, EmailSettings):
        raise LinkError(f"{source.id!r} is a {source.bridge} source; links of mails belong to email sources.")
    return source


def signer(source: Source) -> Signer:
    """Return what signs the links of an email source."""
    return _signer(source, source.settings.keys[0])


def read_token(find: Callable[[str], Source | None], token: str, purpose: Purpose) -> tuple[Source, Mark]:
    """Return the source and the mark of a token. Raises Refusal bad_link.

    It is shown with the source that has the named key. Anybody can name one: nothing else follows from it.
    """
    source = find(signing_name(key_id_of(token)))
    if source is not None:
        key = next(key for key in source.settings.keys if key.id == key_id_of(token))
        mark = _signer(source, key).verify(purpose, token)
        if mark and key.verifies(datetime.now(UTC)):
            return source, mark
    raise Refusal(Reason.BAD_LINK, source=source.id if source else "")


def _signer(source: Source, key: SigningKey) -> Signer:
    return Signer(key.id, key.secret.get_secret_value(), source.id)


def read_journey(find: Callable[[str], Source | None], token: str, now: int) -> tuple[str, str] | None:
    """Return source and recipient of a journey's token at a time in milliseconds, None for a bad one."""
    try:
        source, mark = read_token(find, token, "journey")
    except Refusal:
        return None
    recipient = recipient_of(mark, now) if source.settings.journey else None
    return (source.id, recipient) if recipient else None
