"""What goes wrong at the door, in sentences for people."""

from __future__ import annotations

from collector.model import PlainError


class AccessError(PlainError):
    """Something about an account, token or invitation cannot be; the message is one sentence for a person."""


class ThrottledError(AccessError):
    """Too many tries; ``retry_after`` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many tries to sign in. Wait {max(1, round(retry_after / 60))} min.")
        self.retry_after = retry_after
