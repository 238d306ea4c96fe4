"""A source's rules: the first that matches drops an event, thins it out, changes it or sends it elsewhere."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zlib import crc32

from collector.enrich.bots import verdict_on
from collector.enrich.schemas import name_of
from collector.model import Reason, Refusal

if TYPE_CHECKING:
    from collector.model import Event, Hit, Rule

_ALL = 2**32


def judge(event: Event, hit: Hit) -> Refusal | None:
    """Do what the first matching rule says."""
    rules = hit.source.enrichment.rules
    rule = matching(rules, event, hit) if rules else None
    return _do(rule, event) if rule else None


def matching(rules: tuple[Rule, ...], event: Event, hit: Hit) -> Rule | None:
    """Return the first rule that matches an event."""
    return next((rule for rule in rules if _matches(rule, event, hit)), None)


def _matches(rule: Rule, event: Event, hit: Hit) -> bool:
    context, properties = event.message["context"], event.message.get("properties", {})
    bot = verdict_on(event)
    return (
        (not rule.type or rule.type == event.type)
        and (not rule.event or _fits(rule.event, name_of(event)))
        and (not rule.url or _fits(rule.url, str(context.get("page", {}).get("url", ""))))
        and (not rule.channel or rule.channel == hit.source.channel)
        and (not rule.bot or rule.bot == bot.get("kind") or (rule.bot == "any" and bool(bot)))
        and all(properties.get(name) == value for name, value in rule.properties.items())
    )


def _do(rule: Rule, event: Event) -> Refusal | None:
    if rule.drop:
        return Refusal(Reason.RULE, rule.name)
    if rule.sample < 1:
        # By visitor, so that who is kept is kept whole.
        if crc32((event.visitor or event.id).encode()) >= rule.sample * _ALL:
            return Refusal(Reason.RULE, rule.name)
        _put(event.message, "context.sampleRate", rule.sample)
    for path in rule.remove:
        _put(event.message, path, None)
    for path, value in rule.set.items():
        _put(event.message, path, value)
    if rule.rename:
        event.message["name" if event.type in {"page", "screen"} else "event"] = rule.rename
    if rule.stream:
        event.stream = rule.stream
    return None


def _put(message: dict[str, Any], path: str, value: Any) -> None:
    """Set a field by its dotted path, or remove it; what the events of a hit share is copied on the way."""
    *parents, last = path.split(".")
    place = message
    for parent in parents:
        held = place.get(parent)
        place[parent] = dict(held) if isinstance(held, dict) else {}
        place = place[parent]
    if value is None:
        place.pop(last, None)
    else:
        place[last] = value


@lru_cache(1024)
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob), re.IGNORECASE)


def _fits(glob: str, text: str) -> bool:
    return _pattern(glob).match(text[:2048]) is not None
