"""How many hits a second are taken of a source, with a key, and of an address: token buckets of this process.

A bucket is one time, as the generic cell rate algorithm keeps it (ITU-T I.371): when it will be full again.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from collector.model import Reason, Refusal
from collector.recall import remembered

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.model import Hit
    from collector.settings import Settings

_BURST_SECONDS = 10  # a bucket holds so many seconds' hits: pages that were offline send all at once
_BOMB_HITS = 100  # that a bomb counts for: it is the work of about so many
_MOST_BUCKETS = 50_000
_LONGEST_WAIT_SECONDS = 60
_IPV6_NETWORK = 64


class _Rate(NamedTuple):
    """How far one hit puts off the time when a bucket is full, and how far off it may be; in seconds."""

    what: str
    step: float
    most: float


_Asked: TypeAlias = tuple[tuple[str, ...], _Rate]


class Limits:
    """The buckets. Of too many, those go that were not used for longest; they were full, or nearly."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.monotonic) -> None:
        self._of_source = _rate("this source", settings.source_rate)
        self._of_key = _rate("this write key", settings.key_rate)
        self._of_address = _rate("this address", settings.address_rate)
        self._of_bombs = _rate("compressed bodies from this address", settings.address_rate / _BOMB_HITS)
        self._now = now
        self._full_at: OrderedDict[tuple[str, ...], float] = OrderedDict()

    def admit(self, hit: Hit) -> None:
        """Take a hit from its buckets. Raises Refusal rate_limited, with the time to wait."""
        asked = self._asked(hit)
        self._require(asked)
        self._take(asked)

    def admit_compressed(self, address: str | None) -> None:
        """Raise Refusal rate_limited for an address that has sent too many bombs to have more inflated."""
        self._require(self._bombs_of(address))

    def note_bomb(self, address: str | None) -> None:
        """Count a body that inflates to more than may be."""
        self._take(self._bombs_of(address))

    def forget(self) -> None:
        """Forget the buckets that are full again: it is as if their senders had never come."""
        now, full_at = self._now(), self._full_at
        while full_at and next(iter(full_at.values())) <= now:
            full_at.popitem(last=False)

    def _require(self, asked: list[_Asked]) -> None:
        now = self._now()
        for name, rate in asked:
            wait = self._full_at.get(name, now) - now - rate.most
            if wait > 0:
                seconds = min(_LONGEST_WAIT_SECONDS, math.ceil(wait))
                raise Refusal(Reason.RATE_LIMITED, f"It is about {rate.what}.", retry_after=seconds)

    def _take(self, asked: list[_Asked]) -> None:
        now, full_at = self._now(), self._full_at
        for name, rate in asked:
            full_at[name] = max(full_at.get(name, now), now) + rate.step
            full_at.move_to_end(name)
        while len(full_at) > _MOST_BUCKETS:
            full_at.popitem(last=False)

    def _asked(self, hit: Hit) -> list[_Asked]:
        """Return the buckets that a hit is taken from, with their rates."""
        asked: list[_Asked] = []
        source = hit.source.id
        if self._of_source:
            asked.append(((source,), self._of_source))
        if self._of_key and hit.key:
            asked.append((("key", hit.key), self._of_key))
        if self._of_address and hit.address and (address := _network(hit.address)):
            asked.append(((source, address), self._of_address))
        return asked

    def _bombs_of(self, address: str | None) -> list[_Asked]:
        """Return the bucket of an address, whatever source it names: often that stands in the body."""
        network = _network(address or "")
        return [(("bombs", network), self._of_bombs)] if network and self._of_bombs else []


def _rate(what: str, hits_a_second: float) -> _Rate | None:
    if not hits_a_second:
        return None
    step = 1 / hits_a_second
    return _Rate(what, step, max(_BURST_SECONDS, step) - step)


@remembered(4096)
def _network(address: str) -> str:
    """Return the address, of IPv6 the /64 that one customer has; empty for this machine's: a proxy, then."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.is_loopback:
        return ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    return str(ipaddress.ip_network((parsed.packed, _IPV6_NETWORK), strict=False).network_address)
