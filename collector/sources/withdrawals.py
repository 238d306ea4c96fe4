"""Recipients of mails who have withdrawn their consent: what they open and click is counted, but not theirs.

Kept as digests, held in memory by every collector, so that it also holds for mails that were sent before.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING

from collector.links import LinkError
from collector.sources.email import email_source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.model import Source
    from collector.store.mirror import Mirror

_LONGEST = 255


class Withdrawals:
    """All withdrawn recipients of all sources, as of the last change read."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror

    def covers(self, source: str, recipient: str) -> bool:
        """Tell whether a recipient has withdrawn; asks nobody. As long as nothing is known, all have."""
        return not self._mirror.known or self._mirror.get(_digest(source, recipient)) is not None

    async def withdraw(self, source: Source, recipients: Iterable[str]) -> int:
        """Keep the recipients out of what is recorded from now on; return how many. Raises LinkError."""
        now = datetime.now(UTC).isoformat(timespec="seconds").encode()
        fields = dict.fromkeys(_digests(source, recipients), now)
        await self._mirror.put(fields)
        return len(fields)

    async def restore(self, source: Source, recipients: Iterable[str]) -> int:
        """Record recipients again, who have consented anew; return how many had withdrawn."""
        return await self._mirror.remove(_digests(source, recipients))


def _digests(source: Source, recipients: Iterable[str]) -> list[str]:
    name = email_source(source).id
    listed = list(recipients)
    for each in listed:
        if not 1 <= len(each.encode(errors="replace")) <= _LONGEST:
            raise LinkError(f"{each[:50]!r} is no recipient: an id has 1 to {_LONGEST} bytes.")
    return [_digest(name, each) for each in listed]


def _digest(source: str, recipient: str) -> str:
    told = f"{source}\0{recipient}".encode(errors="replace")
    return base64.urlsafe_b64encode(blake2b(told, digest_size=16).digest()).decode().rstrip("=")
