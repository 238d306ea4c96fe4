"""How many hits a second are taken of a source, with a key, and of an address: token buckets of this process.

A bucket is one time, as the generic cell rate algorithm keeps it (ITU-T I.371): when it will be full again.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING

from collector.model import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.model import Hit
    from collector.settings import Settings

_BURST_SECONDS = 10  # a bucket holds so many seconds' hits: pages that were offline send all at once
_MOST_BUCKETS = 50_000
_LONGEST_WAIT_SECONDS = 60
_IPV6_NETWORK = 64


class Limits:
    """The buckets. Of too many, those go that were not used for longest; they were full, or nearly."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.monotonic) -> None:
        self._rates = (
            ("this source", settings.source_rate),
            ("this write key", settings.key_rate),
            ("this address", settings.address_rate),
        )
        self._now = now
        self._full_at: OrderedDict[tuple[str, ...], float] = OrderedDict()

    def admit(self, hit: Hit) -> None:
        """Take a hit from its buckets. Raises Refusal rate_limited, with the time to wait."""
        source, now = hit.source.id, self._now()
        address = _network(hit.address) if hit.address else ""
        names = ((source,), ("key", hit.key), (source, address))
        asked = [
            (name, rate, what)
            for name, (what, rate) in zip(names, self._rates, strict=True)
            if rate and name[-1]
        ]
        for name, rate, what in asked:
            wait = self._full_at.get(name, now) - now + 1 / rate - max(_BURST_SECONDS, 1 / rate)
            if wait > 0:
                seconds = min(_LONGEST_WAIT_SECONDS, math.ceil(wait))
                raise Refusal(Reason.RATE_LIMITED, f"It is about {what}.", retry_after=seconds)
        for name, rate, _ in asked:
            self._full_at[name] = max(self._full_at.get(name, now), now) + 1 / rate
            self._full_at.move_to_end(name)
        while len(self._full_at) > _MOST_BUCKETS:
            self._full_at.popitem(last=False)


@lru_cache(4096)
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
