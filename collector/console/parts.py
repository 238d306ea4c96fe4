"""What the console's pages are made from: the running parts of the collector that they show or change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from collector.tasks import end_all

if TYPE_CHECKING:
    import asyncio

    from collector.access.gate import Gate
    from collector.model import Source
    from collector.people import Holdings
    from collector.pipeline import Pipeline
    from collector.ports import Ports
    from collector.settings import Settings
    from collector.sources import Catalogue
    from collector.stats import Figures
    from collector.store.deliveries import DeliveryLog
    from collector.store.workers import Roll
    from collector.stream.feed import Feed


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a running collector that pages need."""

    settings: Settings
    ports: Ports
    catalogue: Catalogue
    gate: Gate
    pipeline: Pipeline
    feed: Feed
    figures: Figures
    roll: Roll
    deliveries: DeliveryLog
    holdings: Holdings
    viewers: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def public(self) -> str:
        """The public door's address as browsers see it."""
        return self.settings.public_address(self.ports.public)

    def source(self, request: web.Request) -> Source:
        """Return the source that a path names. Raises HTTPNotFound."""
        found = self.catalogue.find(request.match_info["source"])
        if found is None or found.id != request.match_info["source"]:
            raise web.HTTPNotFound
        return found

    async def close(self, _app: web.Application) -> None:
        """End the live views, which otherwise last as long as somebody watches."""
        await end_all(self.viewers)
