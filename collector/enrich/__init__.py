"""Enrichment: an ordered tuple of pure steps, each of which writes only its own part of the context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from collector.enrich import agent, campaign, client, language, page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collector.model import Event, Hit

Step: TypeAlias = "Callable[[dict[str, Any], Hit], dict[str, Any]]"

STEPS: tuple[Step, ...] = (client.step, agent.step, language.step, page.step, campaign.step)


def enrich(events: Iterable[Event], hit: Hit) -> None:
    """Replace each event's context by the enriched one. Events that share a context share the result."""
    done: dict[int, dict[str, Any]] = {}
    for event in events:
        context = event.message["context"]
        key = id(context)
        if key not in done:
            done[key] = enrich_context(context, hit)
        event.message["context"] = done[key]


def enrich_context(context: dict[str, Any], hit: Hit) -> dict[str, Any]:
    """Return a new context with what every step tells; what a step tells as None is left out."""
    enriched = dict(context)
    for step in STEPS:
        enriched.update(step(enriched, hit))
    return {key: value for key, value in enriched.items() if value is not None}
