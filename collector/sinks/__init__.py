"""Sinks: where events go to be analysed. A sink is told batches and knows nothing of Redis.

Anyone can add one: a function that makes it, under the entry point group ``headwater.sinks``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from collector.model import PlainError
from collector.stream.consumer import Delivery, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Away", "Closable", "Delivery", "Limits", "Rejected", "Sink", "SinkError"]


class SinkError(PlainError):
    """A sink cannot work as asked until a person mends it; the message says why in one sentence.

    It ends a run that has not written anything yet. One that has waits, as for a target that is away.
    """


class Away(Exception):  # noqa: N818 - a state of the target, not a fault of ours
    """The target takes nothing now. The batch is tried again, after ``seconds`` at least."""

    def __init__(self, why: str, seconds: float = 0) -> None:
        super().__init__(why)
        self.seconds = seconds


class Rejected(Exception):  # noqa: N818 - what the target has done
    """The target will never take this batch as it is; the event at fault is looked for and set aside."""


class Sink(Protocol):
    """A target of events."""

    @property
    def limits(self) -> Limits:
        """Most events and bytes that ``write`` is given at once, and how long to gather them."""

    async def write(self, batch: Sequence[Delivery]) -> None:
        """Keep a batch: it is safe on return. What was written before, wholly or in part, changes nothing.

        An event of the type ``forget`` asks to remove what was kept of a person. Raises Away, Rejected,
        SinkError, and OSError, which is taken for Away.
        """

    async def healthy(self) -> None:
        """Raise Away when the target would take nothing now, SinkError when it does not let us in."""


@runtime_checkable
class Closable(Protocol):
    """A sink that holds a connection, and is told when the run ends."""

    async def close(self) -> None:
        """Leave the target."""
