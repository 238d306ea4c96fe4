"""Whether the collector lives, is ready, and what it is: cheap answers for load balancers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from collector import __version__
from collector.answer import json_answer, text_answer

if TYPE_CHECKING:
    from aiohttp import web

    from collector.exchange import Answer
    from collector.sources import Catalogue
    from collector.stream import Stream, StreamState


@dataclass(slots=True)
class Health:
    """The state that readiness is judged by; ``draining`` is set first thing on SIGTERM."""

    stream: Stream
    catalogue: Catalogue
    draining: bool = False

    async def healthz(self, _request: web.Request) -> Answer:
        """Answer that the process lives; asks nobody else."""
        return text_answer("ok\n")

    async def readyz(self, _request: web.Request) -> Answer:
        """Answer 200 while hits can be made safe, in Redis or in the spool; else 503. Asks nobody either.

        The checks say what is not as it should be; ``stream`` has the figures.
        """
        state = self.stream.state
        safe = not state.policy and not (state.trouble and state.refusing)
        known = self.catalogue.fresh or any(self.catalogue)
        ready = safe and known and not self.draining
        checks = {
            "process": "draining" if self.draining else "ok",
            "redis": _redis(state),
            "spool": state.refusing or "ok",
            "sources": "ok" if self.catalogue.fresh else "from the snapshot",
        }
        figures: dict[str, Any] = asdict(state)
        return json_answer(200 if ready else 503, {"ready": ready, "checks": checks, "stream": figures}, {})

    async def version(self, _request: web.Request) -> Answer:
        """Answer the collector's version."""
        return json_answer(200, {"name": "headwater", "version": __version__}, {})


def _redis(state: StreamState) -> str:
    if state.policy:
        return f"maxmemory-policy is {state.policy}, must be noeviction"
    return f"spooling: {state.trouble}" if state.trouble else "ok"
