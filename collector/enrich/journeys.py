"""Who comes by a click in a mail: the signed parameter in the page's address, checked and taken at its word.

It joins a visitor to a recipient of mails, so it is read only where visitors have an id of their own, and
what makes an event anonymous takes it away again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.links import JOURNEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.model import Hit

_PARAMETER = re.compile(rf"[?&]{JOURNEY}=([\w.-]{{40,1000}})(?=[&#]|\Z)", re.ASCII)
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Journeys:
    """The step that tells of journeys; ``read`` returns source and recipient of a token, if it is good."""

    read: Callable[[str, int], tuple[str, str] | None]

    def step(self, context: dict[str, Any], hit: Hit) -> dict[str, Any]:
        """Tell journey: the mail's source, and the recipient who visits. Browsers cannot claim it."""
        if hit.source.bridge != "web":
            return {}
        page = context.get("page")
        url = page.get("url") if isinstance(page, dict) else None
        if not isinstance(url, str) or JOURNEY not in url:
            return {"journey": None}
        privacy = hit.source.privacy
        match = _PARAMETER.search(url[:_LONGEST])
        if match is None or privacy.visitors != "cookie" or privacy.preset == "cnil":
            return {"journey": None}
        found = self.read(match[1], hit.received_at)
        return {"journey": {"source": found[0], "anonymousId": found[1]} if found else None}
