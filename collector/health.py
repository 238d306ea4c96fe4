"""Whether the collector lives, is ready, and what it is: cheap answers for load balancers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web
from redis.exceptions import RedisError

from collector import __version__
from collector.answer import NO_STORE, json_answer

if TYPE_CHECKING:
    from collector.sources import Catalogue
    from collector.store import Redis


@dataclass(slots=True)
class Health:
    """The state that readiness is judged by; ``draining`` is set first thing on SIGTERM."""

    redis: Redis
    catalogue: Catalogue
    draining: bool = False

    async def healthz(self, _request: web.Request) -> web.Response:
        """Answer that the process lives; asks nobody else."""
        return web.Response(text="ok\n", headers=NO_STORE)

    async def readyz(self, _request: web.Request) -> web.Response:
        """Answer 200 when hits can be made safe, else 503, with each check's result."""
        checks = {"redis": await self._redis_check(), "sources": self._sources_check()}
        if self.draining:
            checks["process"] = "draining"
        ready = all(result == "ok" for result in checks.values())
        return json_answer(200 if ready else 503, {"ready": ready, "checks": checks}, {})

    async def version(self, _request: web.Request) -> web.Response:
        """Answer the collector's version."""
        return json_answer(200, {"name": "headwater", "version": __version__}, {})

    async def _redis_check(self) -> str:
        try:
            memory: Any = await self.redis.info("memory")
        except (RedisError, OSError):
            return "unreachable"
        policy = memory.get("maxmemory_policy", "noeviction")
        return "ok" if policy == "noeviction" else f"maxmemory-policy is {policy}, must be noeviction"

    def _sources_check(self) -> str:
        return "ok" if self.catalogue.fresh else "from the snapshot"
