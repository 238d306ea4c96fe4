"""Shapes of deliveries, of their replay, and of what became of mails."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from collector.api.models.base import Strict
from collector.wording import InWords

Entry = Annotated[
    str,
    Field(pattern=r"^[0-9]{1,20}-[0-9]{1,20}$"),
    InWords("This must be the entry of a delivery: two numbers with a - between them"),
]


class DeliveryView(Strict):
    """A delivery to a webhook or rest source; what came is not shown, since it may hold credentials."""

    entry: str = Field(description="Names it for replay.")
    at: float = Field(description="Seconds since 1970.")
    verdict: str
    reason: str = Field(description="Why something was refused; empty when nothing was.")
    ids: str = Field(description="Ids of its events, space-separated.")
    kept: bool = Field(description="Whether it is kept as it came, and can be replayed.")


class DeliveryList(Strict):
    """The last deliveries, newest first."""

    items: list[DeliveryView]


class ReplayWish(Strict):
    """What to take once more; without entries, all that was refused."""

    entries: list[Entry] = Field(default=[], max_length=1000)


class Replayed(Strict):
    """What became of a delivery."""

    entry: str
    verdict: str
    reason: str = Field(description="Why it was refused again; empty when it was not.")


class ReplayedList(Strict):
    """What became of each, oldest first."""

    items: list[Replayed]


class MailTally(Strict):
    """Counts of opens or clicks."""

    total: int
    unique: int
    unnamed: int = Field(description="Those that are nobody's by consent.")
    human_estimated: int = Field(description="Recipients, and unnamed ones that no machine made.")


class MailReport(Strict):
    """What became of one message: an estimate."""

    opens: MailTally
    clicks: MailTally
    unsubscribes: int
    machines: dict[str, int] = Field(description="Opens and clicks that machines made, by kind.")
