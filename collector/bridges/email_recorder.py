"""Record what happens to mails: who did it if that may be kept, a machine's label, and no wait for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from collector import metrics
from collector.enrich import machines
from collector.links import journey_token
from collector.model import Privacy, Reason, Refusal, Source
from collector.protocols.email import email, short_click
from collector.sources.email import signer
from collector.sources.short_links import ShortLink

if TYPE_CHECKING:
    from collector.bridges.request import Reader
    from collector.exchange import Request
    from collector.links import Mark, Purpose
    from collector.model import Hit
    from collector.pipeline import Pipeline
    from collector.protocols import Protocol
    from collector.sources.withdrawals import Withdrawals

log = structlog.get_logger()

_PATIENCE_SECONDS = 1.0  # a person waits for the page behind the link
_SIGNALS = ("Sec-GPC", "DNT")


@dataclass(frozen=True, slots=True)
class Recorder:
    """The one way of opens, clicks and unsubscribes into the pipeline."""

    pipeline: Pipeline
    reader: Reader
    withdrawals: Withdrawals
    recording: set[asyncio.Task[Refusal | None]] = field(default_factory=set)

    async def click(self, request: Request, source: Source, link: Mark | ShortLink, event_id: str) -> None:
        """Record a click, but keep nobody waiting for it: it goes on while the redirect is answered."""
        task = asyncio.create_task(self.attempt(request, source, link, "click", event_id))
        self.recording.add(task)
        task.add_done_callback(self.recording.discard)
        await asyncio.wait([task], timeout=_PATIENCE_SECONDS)

    async def attempt(
        self,
        request: Request,
        source: Source,
        link: Mark | ShortLink,
        purpose: Purpose,
        event_id: str = "",
    ) -> Refusal | None:
        """Record what must not fail in front of a reader; return why it was not recorded."""
        try:
            hit = self._hit(request, source)
            machine = machines.label(hit, purpose)
            if machine:
                metrics.machine(source.id, machine["kind"])
            if self._unnamed(source, link):
                hit, link = _in_aggregate(hit, link)
            await self.pipeline.take(hit, _protocol(purpose, link, event_id, machine))
        except Refusal as refusal:
            self.pipeline.refuse(source, refusal, where=request.path[:3])
            return refusal
        except Exception:
            log.exception("fault", path=request.path[:3])
            return Refusal(Reason.INTERNAL)
        return None

    async def unsubscribe(self, request: Request, source: Source, mark: Mark) -> None:
        """Record who asks to be left alone, and no more of them: no privacy rule may lose the asking."""
        hit = self._hit(request, source)
        asked = replace(hit.source, privacy=Privacy(visitors="cookie"))
        hit = replace(hit, source=asked, headers={}, address=None)
        await self.pipeline.take(hit, email("unsubscribe", mark), limited=False)

    def journey(self, request: Request, source: Source, link: Mark | ShortLink, now: int) -> str:
        """Return what tells the target who comes, empty where nobody may be told."""
        if isinstance(link, ShortLink) or not (source.enabled and source.settings.journey):
            return ""
        if self._unnamed(source, link) or request.headers.get("Sec-GPC") == "1":
            return ""
        return journey_token(signer(source), link.recipient, now)

    def _hit(self, request: Request, source: Source) -> Hit:
        return self.reader.hit(request, self.pipeline.accept(source.id, source.bridge), b"")

    def _unnamed(self, source: Source, link: Mark | ShortLink) -> bool:
        """Tell whether nobody may be named: no consent where it is needed, or withdrawn since."""
        if isinstance(link, ShortLink):
            return needs_consent(source)
        return (needs_consent(source) and not link.consented) or self.withdrawals.covers(
            source.id, link.recipient
        )


def needs_consent(source: Source) -> bool:
    """Tell whether opens and clicks name only recipients who have consented."""
    return source.privacy.preset == "cnil" or source.privacy.consent == "required"


def _in_aggregate(hit: Hit, link: Mark | ShortLink) -> tuple[Hit, Mark | ShortLink]:
    """Return a hit and a link that say what happened to a message and nothing of whose it was."""
    privacy = replace(hit.source.privacy, visitors="anonymous", consent="none")
    signals = {name: hit.headers[name] for name in _SIGNALS if name in hit.headers}
    hit = replace(hit, source=replace(hit.source, privacy=privacy), headers=signals, address=None)
    return hit, link if isinstance(link, ShortLink) else replace(link, recipient="", consented=False)


def _protocol(
    purpose: Purpose, link: Mark | ShortLink, event_id: str, machine: machines.Label | None
) -> Protocol:
    if isinstance(link, ShortLink):
        return short_click(link.id, link.target, link.label, event_id, machine)
    return email(purpose, link, event_id, machine)
