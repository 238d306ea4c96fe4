"""The open connections of a listener: how many there may be, how many of one address, and which do not read.

It knows transports only, whoever reads from them.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

from collector import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

_SWEEP_SECONDS = 1
_UNREAD_SECONDS = 10  # what the kernel's buffers do not take either; a phone's line is not that slow


class Connections:
    """Count connections by address. ``shared`` tells of an address whether many clients stand behind it."""

    def __init__(self, most: int, most_each: int, shared: Callable[[str], bool]) -> None:
        self._most = most
        self._most_each = most_each
        self._shared = shared
        self._open: dict[asyncio.Transport, str] = {}
        self._each: Counter[str] = Counter()
        self._unread: dict[asyncio.Transport, float] = {}

    def enter(self, transport: asyncio.Transport) -> bool:
        """Count a connection once; one too many is cut, and False returned."""
        if transport in self._open:
            return True
        address = _address(transport)
        if self._full(address):
            metrics.CONNECTIONS_REFUSED.inc()
            transport.abort()
            return False
        self._open[transport] = address
        self._each[address] += 1
        metrics.CONNECTIONS.inc()
        return True

    def leave(self, transport: asyncio.Transport | None) -> None:
        """Forget a connection that has ended."""
        address = self._open.pop(transport, None) if transport else None
        if address is None:
            return
        metrics.CONNECTIONS.dec()
        self._each[address] -= 1
        if not self._each[address]:
            del self._each[address]

    async def run(self) -> None:
        """Cut who does not read what was answered: the waiting bytes are memory that strangers hold."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self.sweep(time.monotonic())

    def sweep(self, now: float) -> None:
        """Look at every connection once; ``now`` is in seconds."""
        waiting = [each for each in self._open if each.get_write_buffer_size()]
        self._unread = {each: self._unread.get(each, now) for each in waiting}
        for transport, since in self._unread.items():
            if now - since > _UNREAD_SECONDS:
                metrics.CONNECTIONS_CUT.inc()
                transport.abort()

    def _full(self, address: str) -> bool:
        if len(self._open) >= self._most:
            return True
        return bool(address) and self._each[address] >= self._most_each and not self._shared(address)


def _address(transport: asyncio.Transport) -> str:
    """Return the peer's address, empty on a unix socket."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""
