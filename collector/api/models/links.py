"""Shapes of the links of mails, and of mails."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from collector.api.models.base import Strict


class LinksNew(Strict):
    """The links of one mail to one recipient."""

    message: str = Field(min_length=1, max_length=200, description="Id of the message or campaign.")
    recipient: str = Field(
        min_length=1, max_length=200, description="Random id or keyed hash of the recipient, no address."
    )
    targets: list[Annotated[str, Field(max_length=2000)]] = Field(
        max_length=1000, description="Where the links lead."
    )
    parameters: dict[str, str] = Field(
        default={}, max_length=20, description="Added to each target where absent."
    )
    consented: bool = Field(default=False, description="Whether the recipient has agreed to be recorded.")


class LinksMade(Strict):
    """Signed addresses, in the order of the targets; null where a link must stay as it is."""

    links: list[str | None]
    pixel: str
    unsubscribe: str


class ShortLinkNew(Strict):
    """A short link for print, QR codes or SMS."""

    target: str = Field(max_length=2000)
    label: str = Field("", max_length=200, description="Where it is printed or sent.")


class ShortLinkView(Strict):
    """A short link with its address."""

    id: str
    url: str
    target: str
    label: str
    created: str


class ShortLinkList(Strict):
    """The short links of a source."""

    items: list[ShortLinkView]


class SigningKeyId(Strict):
    """The id of the key that signs from now on."""

    id: str


class Recipients(Strict):
    """Recipients of mails, by the ids that links name them by."""

    recipients: list[Annotated[str, Field(min_length=1, max_length=255)]] = Field(
        min_length=1, max_length=10_000
    )
    undo: bool = Field(default=False, description="They have consented anew: record them again.")


class MailRecipient(Strict):
    """Someone a mail is for, by a random id or keyed hash, no address."""

    recipient: str = Field(min_length=1, max_length=200)
    consented: bool = False


class MailsNew(Strict):
    """A mail for many recipients."""

    message: str = Field(min_length=1, max_length=200, description="Id of the message or campaign.")
    kind: Literal["html", "text", "mime"] = "html"
    mail: str = Field(max_length=2_000_000, description="The template: HTML, text or a whole message.")
    recipients: list[MailRecipient] = Field(min_length=1, max_length=10_000)
    parameters: dict[str, str] = Field(default={}, max_length=20, description="Added to links where absent.")
    unsubscribes: bool = Field(default=False, description="Track unsubscribe links too.")


class MailMade(Strict):
    """The mail of one recipient: a line of the answer."""

    recipient: str
    mail: str
