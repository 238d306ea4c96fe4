"""The webhook bridge: deliveries of providers and forms, answered as each of them needs it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from collector.answer import (
    NO_STORE,
    accepted_answer,
    cross_origin,
    preflight_answer,
    refusal_answer,
    text_answer,
    where,
)
from collector.bridges.remember import remember_refused, remember_taken
from collector.bridges.web import require_origin
from collector.exchange import Answer
from collector.model import Hit, Outcome, Reason, Refusal, Source
from collector.protocols.sent_secrets import without_secrets
from collector.protocols.template import Scope
from collector.protocols.webhook import webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp import web

    from collector.bridges.request import Reader
    from collector.pipeline import Pipeline
    from collector.sources.servers import WebhookSettings
    from collector.store.deliveries import DeliveryLog

_MINUTE_SECONDS = 60
_MOST_ADDRESSES = 10_000


@dataclass(frozen=True, slots=True)
class WebhookBridge:
    """The handler of webhook sources' paths, for every HTTP method."""

    pipeline: Pipeline
    reader: Reader
    log: DeliveryLog
    counts: dict[tuple[str, str | None, int], int] = field(default_factory=dict)

    async def take(self, request: web.Request) -> Answer:
        """Take a delivery; answer when its events are safe, as its provider counts success."""
        if request.method == "OPTIONS":
            return _handshake(request)
        source: Source | None = None
        hit: Hit | None = None
        try:
            source = self.pipeline.accept(request.match_info["source"], "webhook")
            settings: WebhookSettings = source.settings
            self._admit(request, source)
            hit = self.reader.hit(request, source, await self.reader.server_body(request))
            hit.url = self.reader.url(request)
            if request.method == "HEAD" or (request.method == "GET" and not hit.query):
                return text_answer("Waiting for deliveries.\n")
            _require_untrapped(hit, settings)
            outcomes = await self.pipeline.take(hit, webhook(settings.plan))
        except Refusal as refusal:
            return self._refused(request, source, hit, refusal)
        remember_taken(self.log, hit, outcomes, _cleaner(source))
        return _answer(request, hit, outcomes)

    def _admit(self, request: web.Request, source: Source) -> None:
        settings: WebhookSettings = source.settings
        require_origin(request, settings.origins, source.id)
        if not settings.per_minute:
            return
        key = (source.id, self.reader.address(request), int(time.monotonic() // _MINUTE_SECONDS))
        if len(self.counts) >= _MOST_ADDRESSES:
            self.counts.clear()
        self.counts[key] = self.counts.get(key, 0) + 1
        if self.counts[key] > settings.per_minute:
            raise Refusal(Reason.RATE_LIMITED, retry_after=_MINUTE_SECONDS)

    def _refused(
        self, request: web.Request, source: Source | None, hit: Hit | None, refusal: Refusal
    ) -> Answer:
        self.pipeline.refuse(source, refusal, where=where(request))
        if source is None:
            return refusal_answer(refusal, cross_origin(request))
        remember_refused(self.log, source, hit, refusal, _cleaner(source))
        if hit and refusal.reason is Reason.TRAPPED:
            return _form_answer(request, hit)  # who fills the trap need not know
        return refusal_answer(refusal, cross_origin(request))


def _cleaner(source: Source) -> Callable[[Hit], Hit]:
    """Return what takes the source's secrets out of a delivery that is kept."""
    return partial(without_secrets, plan=source.settings.plan)


def _require_untrapped(hit: Hit, settings: WebhookSettings) -> None:
    if settings.honeypot:
        body: Any = Scope(hit).body
        if isinstance(body, dict) and body.get(settings.honeypot):
            raise Refusal(Reason.TRAPPED)


def _answer(request: web.Request, hit: Hit, outcomes: Sequence[Outcome]) -> Answer:
    kind = hit.source.settings.plan.preset.answer
    if any(outcome.refusal for outcome in outcomes) and kind != "form":
        return accepted_answer(outcomes, cross_origin(request))
    if kind == "slack":
        return _slack_answer(hit)
    if kind == "empty":
        return Answer(200, NO_STORE)
    if kind == "form":
        return _form_answer(request, hit)
    return accepted_answer(outcomes, cross_origin(request))


def _slack_answer(hit: Hit) -> Answer:
    """Echo the challenge of Slack's handshake; else nothing, which a slash command shows as nothing."""
    body = Scope(hit).body
    if isinstance(body, dict) and body.get("type") == "url_verification":
        return text_answer(str(body.get("challenge", ""))[:1000])
    return Answer(200, NO_STORE)


def _form_answer(request: web.Request, hit: Hit) -> Answer:
    """Lead a person to the thank-you page; a script that asks for JSON gets it."""
    if "application/json" in request.headers.get("Accept", ""):
        return accepted_answer([], cross_origin(request))
    page = hit.source.settings.thank_you
    if page:
        return Answer(303, {**NO_STORE, "Location": page})
    return text_answer("Thank you.\n")


def _handshake(request: web.Request) -> Answer:
    """Answer a browser's preflight, and the OPTIONS handshake of CloudEvents' webhooks."""
    origin = request.headers.get("WebHook-Request-Origin")
    answer = preflight_answer(request)
    if not origin:
        return answer
    allowed = {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*", "Allow": "POST"}
    return replace(answer, headers={**answer.headers, **allowed})
