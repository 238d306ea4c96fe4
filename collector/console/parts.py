"""What the console's pages are made from: the running parts of the collector that they show or change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from collector.render import page

if TYPE_CHECKING:
    from collector.access.gate import Gate
    from collector.model import Source
    from collector.ports import Ports
    from collector.settings import Settings
    from collector.sources import Catalogue


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a running collector that pages need."""

    settings: Settings
    ports: Ports
    catalogue: Catalogue
    gate: Gate

    @property
    def public(self) -> str:
        """The public door's address as browsers see it."""
        return self.settings.public_address(self.ports.public)

    def source(self, request: web.Request) -> Source:
        """Return the source that a path names. Raises HTTPNotFound with a page."""
        found = self.catalogue.find(request.match_info["source"])
        if found is None or found.id != request.match_info["source"]:
            text = page(request, "missing.html").text
            raise web.HTTPNotFound(text=text, content_type="text/html")
        return found
