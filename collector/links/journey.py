"""The parameter that tells a site's tracker which recipient came by a click, for ten minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.links.token import Mark

if TYPE_CHECKING:
    from collector.links.token import Signer

JOURNEY = "hw_visitor"
_LASTS_MS = 10 * 60 * 1000


def journey_token(signer: Signer, recipient: str, now: int) -> str:
    """Return the parameter's value for a click at ``now`` (milliseconds since 1970)."""
    return signer.sign("journey", Mark("", recipient, target=str(now + _LASTS_MS)))


def recipient_of(mark: Mark, now: int) -> str | None:
    """Return whose journey a verified token tells of, None when its time is over."""
    return mark.recipient if now < int(mark.target) else None
