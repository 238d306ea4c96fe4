"""The short-lived token of a served tracker: what shows that a hit comes from a copy served not long ago.

A token is ``end . MAC``: the second (since 1970) that it ends in, and HMAC-SHA256 of source, origin and end,
cut to 128 bits. All copies served within an hour have the same, so that caches go on working. Where a source
allows one origin alone, the token counts from there only.
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.model import Source
    from collector.settings import Settings
    from collector.sources.signing import SigningKey

NO_TOKEN = (
    b'"token":""'  # its place in a tracker: within a text quotes are escaped, so nothing else is like it
)
MISSING, BAD, OLD = "no_token", "bad_token", "old_token"

_HOUR = 3600
_OPEN_SECONDS = 24 * _HOUR  # a page may stay open for so long after its tracker was loaded
_GRACE_SECONDS = 7 * 24 * _HOUR  # and for so long again its events are kept, with a flag
_MAC_BYTES = 16
_IN_QUERY = re.compile(r"(?:^|&)k=([^&]*)")
_FORM = re.compile(r"([0-9]{1,11})\.([A-Za-z0-9_-]{22})")


@dataclass(frozen=True, slots=True)
class TrackerTokens:
    """Sign and judge tokens that live as long as caches may hold a tracker, and an open page after that."""

    life: int

    @classmethod
    def of(cls, settings: Settings) -> TrackerTokens:
        """Return what signs and judges by a collector's settings."""
        return cls(settings.tracker_seconds + settings.tracker_stale_seconds + _OPEN_SECONDS)

    def sign(self, source: Source, now: float) -> str:
        """Return the token of this hour (``now`` in seconds), empty for a source that asks for none."""
        if not source.settings.asks_for_token:
            return ""
        end = (int(now) // _HOUR + 1) * _HOUR + self.life
        origins = source.settings.origins
        bound = origins[0] if len(origins) == 1 and "*" not in origins[0] else ""
        return f"{end}.{_mac(source.settings.keys[0], source, bound, end)}"

    def fault(self, source: Source, token: str, origin: str, now: float) -> str:
        """Return what is wrong with the token of a hit from an origin: MISSING, BAD, OLD or nothing."""
        if not token:
            return MISSING
        form = _FORM.fullmatch(token)
        end = int(form[1]) if form else 0
        right = [
            hmac.compare_digest(form[2], _mac(key, source, bound, end))
            for key in self._keys(source, end)
            for bound in (origin, "")
            if form
        ]
        if not any(right) or now > end + _GRACE_SECONDS:
            return BAD
        return OLD if now > end else ""

    def _keys(self, source: Source, end: int) -> Iterator[SigningKey]:
        """Yield the keys that can have signed a token with this end: replaced ones, only before they were."""
        for key in source.settings.keys:
            if not key.retired or end <= datetime.fromisoformat(key.retired).timestamp() + self.life + _HOUR:
                yield key


def token_in(query: str) -> str:
    """Return the token that a query carries, empty when there is none."""
    found = _IN_QUERY.search(query)
    return found[1] if found else ""


def with_token(address: str, token: str) -> str:
    """Return an address that carries a token, if there is one."""
    return f"{address}?k={token}" if token else address


def _mac(key: SigningKey, source: Source, origin: str, end: int) -> str:
    text = f"headwater tracker {source.id} {origin} {end}".encode(errors="replace")
    mac = hmac.digest(key.secret.get_secret_value().encode(), text, "sha256")[:_MAC_BYTES]
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
