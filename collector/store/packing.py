"""Commands packed by hiredis: redis-py's asyncio connections pack in Python, at four times the cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hiredis
from redis.connection import HiredisRespSerializer

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool


_PLAIN = {"EVALSHA", "EVAL"}


class _Packing:
    """What goes in front of a connection class."""

    def pack_command(self, *arguments: Any) -> list[bytes]:
        if arguments[0] in _PLAIN:  # redis-py looks at every argument, and there are thousands in a group
            return [hiredis.pack_command(arguments)]
        return HiredisRespSerializer().pack(*arguments)  # type: ignore[no-any-return]


def pack_fast(pool: ConnectionPool) -> None:
    """Let the connections that the pool will open pack their commands with hiredis."""
    plain = pool.connection_class
    pool.connection_class = type(f"Packing{plain.__name__}", (_Packing, plain), {})
