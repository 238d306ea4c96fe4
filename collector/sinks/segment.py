"""Events to whoever speaks Segment's HTTP API: Segment, RudderStack, Jitsu, another collector."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr  # noqa: TC002 - the option is converted to it

from collector.protocols.decode import to_json
from collector.sinks import Limits
from collector.sinks.address import read_address, tls_context
from collector.sinks.calls import Calls, Receiver
from collector.sinks.messages import readable, without_tombstones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.sinks import Delivery

_TRY_SECONDS = 30
# The receiver sets the last, and corrects the time by the first two, which we have done.
_OURS = ("originalTimestamp", "sentAt", "receivedAt")


def segment(
    to: str,
    *,
    key: SecretStr,
    ca: str = "",
    events: int = 250,
    size: int = 450_000,
    seconds: float = 1,
) -> SegmentSink:
    """Make a sink of an address for batches, such as https://api.segment.io/v1/batch. Raises SinkError."""
    parts = read_address(to, ("https", "http"))
    calls = Calls(_TRY_SECONDS, tls=tls_context(ca) if parts.scheme == "https" else None)
    return SegmentSink(to, key.get_secret_value(), calls, Limits(events, size, seconds))


class SegmentSink:
    """Sends batches under a write key; message ids are kept, so the receiver knows what it has."""

    def __init__(self, url: str, key: str, calls: Calls, limits: Limits) -> None:
        self.limits = limits
        self._url = url
        login = b64encode(f"{key}:".encode()).decode()
        self._headers = {"Content-Type": "application/json", "Authorization": f"Basic {login}"}
        self._calls = calls
        self._receiver = Receiver(calls, "it does not know the write key.")

    async def healthy(self) -> None:
        """Take it that it is: only a batch can tell."""

    async def write(self, batch: Sequence[Delivery]) -> None:
        """Send a batch."""
        messages = [_message(readable(each)) for each in without_tombstones(batch)]
        if messages:
            await self._receiver.send(self._url, to_json({"batch": messages}), self._headers)

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()


def _message(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in _OURS}
