"""How full Redis' memory is: shedding begins before it is, and a Redis that would evict is not trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError

from collector.store.cluster import on_every_node

if TYPE_CHECKING:
    from collector.store import Redis

log = structlog.get_logger()

_SHED_FROM = 0.90
_SHED_UNTIL = 0.85


class Pressure:
    """The memory of Redis as last looked at. ``policy`` is empty while no node evicts."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.shedding = False
        self.used = 0.0
        self.policy = ""

    async def look(self) -> None:
        """Ask Redis; when it does not answer, the last answer stands."""
        try:
            nodes = (await on_every_node(self._redis, "INFO", "memory")).values()
        except (RedisError, OSError):
            return
        self.used = max(_share(node) for node in nodes)
        policies = {node.get("maxmemory_policy", "noeviction") for node in nodes} - {"noeviction"}
        self.policy = ", ".join(sorted(policies))
        shed = self.used >= (_SHED_UNTIL if self.shedding else _SHED_FROM)
        if shed != self.shedding:
            log.warning("shedding" if shed else "shedding_ended", memory_used=round(self.used, 3))
        self.shedding = shed


def _share(node: dict[str, Any]) -> float:
    """Return the share of maxmemory in use, as Redis itself counts it; 0 without a limit, or when untold."""
    limit = node.get("maxmemory", 0)
    used = node.get("used_memory", 0) - node.get("mem_not_counted_for_evict", 0)
    return max(0.0, used / limit) if limit else 0.0
