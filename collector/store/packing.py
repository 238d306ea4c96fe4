"""Commands packed by joining their parts: a group of events is large, and other ways copy it more often.

hiredis grows its buffer by and by: a group of 500 events costs it three times as much as one join.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.connection import HiredisRespSerializer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import ConnectionPool


_PLAIN = {"EVALSHA", "EVAL"}


class _Packing:
    """What goes in front of a connection class."""

    def pack_command(self, *arguments: Any) -> list[bytes]:
        if arguments[0] in _PLAIN:  # redis-py looks at every argument, and there are thousands in a group
            return [packed(arguments)]
        return HiredisRespSerializer().pack(*arguments)  # type: ignore[no-any-return]


def packed(arguments: Sequence[bytes | str | int]) -> bytes:
    """Return a command as Redis reads it: https://valkey.io/topics/protocol/."""
    parts = [b"*%d\r\n" % len(arguments)]
    for each in arguments:
        data = each if type(each) is bytes else str(each).encode()
        parts += (b"$%d\r\n" % len(data), data, b"\r\n")
    return b"".join(parts)


def pack_fast(pool: ConnectionPool) -> None:
    """Let the connections that the pool will open pack their commands so."""
    plain = pool.connection_class
    pool.connection_class = type(f"Packing{plain.__name__}", (_Packing, plain), {})
