"""The running parts of the collector that operations of the API need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from collector.tasks import end_all

if TYPE_CHECKING:
    import asyncio

    from aiohttp import web

    from collector.access.gate import Gate
    from collector.people import Holdings
    from collector.pipeline import Pipeline
    from collector.ports import Ports
    from collector.settings import Settings
    from collector.sources import Catalogue
    from collector.sources.short_links import ShortLinks
    from collector.sources.withdrawals import Withdrawals
    from collector.stats import Figures
    from collector.store.deliveries import DeliveryLog
    from collector.store.workers import Roll
    from collector.stream.feed import Feed


@dataclass(frozen=True, slots=True)
class Services:
    """What operations ask and change."""

    settings: Settings
    ports: Ports
    catalogue: Catalogue
    gate: Gate
    pipeline: Pipeline
    feed: Feed
    figures: Figures
    holdings: Holdings
    short_links: ShortLinks
    withdrawals: Withdrawals
    roll: Roll
    deliveries: DeliveryLog
    listeners: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def public(self) -> str:
        """The public door's address as browsers see it."""
        return self.settings.public_address(self.ports.public)

    async def close(self, _app: web.Application) -> None:
        """End the streams, which otherwise last as long as somebody listens."""
        await end_all(self.listeners)
