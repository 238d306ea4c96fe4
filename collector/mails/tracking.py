"""Make the addresses of one mail: its links, its pixel, its unsubscribe."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from collector.links import LinkError, Mark, Signer, check_target, with_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNSUBSCRIBE = re.compile(r"unsub|opt[-_]?out", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{\{|\{%|\$\{|%%|\*\||\[\[|<%|\{[a-zA-Z_]")


@dataclass(slots=True)
class Tracking:
    """One message to one recipient: ``base`` is the public door, ``parameters`` are added where absent.

    ``honeypot`` adds a link that people do not see; it leads where the first link leads.
    """

    signer: Signer
    base: str
    message: str
    recipient: str
    hosts: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    unsubscribes: bool = False
    consented: bool = False
    honeypot: bool = False
    links: int = 0
    first_target: str = ""

    def link(self, url: str) -> str | None:
        """Return the tracked address of a link, None when the link is to stay as it is."""
        if _PLACEHOLDER.search(url) or url.startswith(f"{self.base}/"):
            return None
        if _UNSUBSCRIBE.search(url) and not self.unsubscribes:
            return None
        target = with_parameters(url, self.parameters)
        try:
            check_target(target, self.hosts)
        except LinkError:
            return None
        self.links += 1
        self.first_target = self.first_target or target
        return f"{self.base}/l/{self._sign('click', self.links, target)}"

    @property
    def pixel(self) -> str:
        """The address of the open pixel."""
        return f"{self.base}/p/{self.signer.source}.gif?t={self._sign('open')}"

    @property
    def trap(self) -> str:
        """The address of the link that people do not see: number 0."""
        return f"{self.base}/l/{self._sign('click', 0, self.first_target)}"

    @property
    def unsubscribe(self) -> str:
        """The address of the unsubscribe."""
        return f"{self.base}/u/{self._sign('unsubscribe')}"

    def of(self, recipient: str, *, consented: bool) -> Tracking:
        """Return the same message to another recipient."""
        return replace(self, recipient=recipient, consented=consented, links=0, first_target="")

    def _sign(self, purpose: str, index: int = 0, target: str = "") -> str:
        mark = Mark(self.message, self.recipient, index, target, self.consented)
        return self.signer.sign(purpose, mark)  # type: ignore[arg-type]
