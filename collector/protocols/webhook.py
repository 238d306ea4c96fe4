"""Webhook deliveries: checked by their recipe, split into items, mapped to events by templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Any

from collector.model import Event, Hit
from collector.protocols.batch import Batch, Limits, Protocol, understand_each
from collector.protocols.clock import corrected, to_iso, to_ms
from collector.protocols.cloudevents import read_cloudevents, require_cloudevent
from collector.protocols.decode import check_depth, parse
from collector.protocols.ids import new_id
from collector.protocols.sent_secrets import PARAMETERS
from collector.protocols.signature import verify
from collector.protocols.template import Scope, template

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.protocols.presets import Preset

_LONGEST_NAME = 200
_LONGEST_ID = 100
_LEAST_MS = 100_000_000_000  # numbers below are seconds: in milliseconds it would be March 1973


@dataclass(frozen=True, slots=True)
class Plan:
    """What a webhook source makes of its deliveries: its preset with the source's own settings over it."""

    name: str
    preset: Preset
    secrets: tuple[str, ...] = field(default=(), repr=False)
    anonymous: str = ""
    hash_user: bool = False
    properties: Mapping[str, str] | None = None


def webhook(plan: Plan) -> Protocol:
    """Return the protocol that reads the deliveries of a plan.

    Raises Refusal bad_signature, stale_signature, and as reading the body does.
    """

    def understand(hit: Hit, limits: Limits) -> Batch:
        scope = Scope(hit)
        if plan.preset.recipe:
            verify(plan.preset.recipe, plan.secrets, scope)
        items = _items(plan, scope)[: limits.events]
        batch = Batch("webhook", flags=scope.payload.flags)
        reader = _Reader(plan, scope, limits, several=len(items) > 1)
        return understand_each(batch, [item for item in items if not reader.silent(item)], reader.event)

    return understand


def _items(plan: Plan, scope: Scope) -> list[Any]:
    if plan.name == "cloudevents":
        return read_cloudevents(scope)
    if scope.payload.kind == "empty":
        fields = {name: value for name, value in scope.query.items() if name not in PARAMETERS}
        return [fields] if fields or scope.hit.method != "GET" else []
    body = scope.body
    if scope.payload.kind == "form" and str(body.get("payload", "")).startswith("{"):
        body = parse(body["payload"].encode())  # GitHub's and Slack's JSON inside a form
    if plan.preset.items:
        found = template(plan.preset.items).value(scope.of(body))
        return found if isinstance(found, list) else [found]
    return [body]


class _Reader:
    """Make an event of each item of one delivery."""

    def __init__(self, plan: Plan, scope: Scope, limits: Limits, *, several: bool) -> None:
        self._plan = plan
        self._preset = plan.preset
        self._scope = scope
        self._limits = limits
        self._several = several
        self._kind = scope.payload.kind

    def silent(self, item: Any) -> bool:
        silent = self._preset.silent
        return bool(silent) and template(self._preset.event).text(self._scope.of(item)) in silent

    def event(self, index: int, item: Any) -> Event:
        if self._plan.name == "cloudevents":
            require_cloudevent(item)
        check_depth(item, self._limits.depth)
        scope = self._scope.of(item)
        message_id = self._id(scope, index)
        name = template(self._preset.event).text(scope)[:_LONGEST_NAME] or self._plan.name
        message: dict[str, Any] = {"messageId": message_id, "type": "track", "event": name}
        if user := self._user(scope):
            message["userId"] = user
        if anonymous := template(self._plan.anonymous).text(scope)[:_LONGEST_NAME]:
            message["anonymousId"] = anonymous
        properties, beside = self._properties(scope, item)
        if properties:
            message["properties"] = properties
        message["context"] = {"webhook": {"preset": self._plan.name, **beside}}
        self._add_times(message, scope)
        return Event(index, message_id, "track", anonymous or user or "", message)

    def _id(self, scope: Scope, index: int) -> str:
        found = template(self._preset.id).text(scope)
        if not found:
            return new_id(scope.hit, index)
        if self._several and "{body" not in self._preset.id:
            found = f"{found}.{index}"
        return found if len(found) <= _LONGEST_ID else blake2b(found.encode(), digest_size=20).hexdigest()

    def _user(self, scope: Scope) -> str:
        found = template(self._preset.user).text(scope)[:_LONGEST_NAME]
        if found and self._plan.hash_user:
            return sha256(found.strip().lower().encode()).hexdigest()
        return found

    def _properties(self, scope: Scope, item: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the properties, and what stands beside them in the delivery."""
        beside = {"path": scope.hit.path} if scope.hit.path else {}
        if self._plan.properties:
            mapped = {name: template(text).value(scope) for name, text in self._plan.properties.items()}
            return {name: value for name, value in mapped.items() if value is not None}, beside
        if not isinstance(item, dict):
            return ({} if item is None else {self._kind_of(item): item}), beside
        kept = {key: value for key, value in item.items() if key not in self._preset.drop}
        if self._preset.inside not in kept:
            return kept, beside
        inner = kept.pop(self._preset.inside)
        return inner if isinstance(inner, dict) else {self._preset.inside: inner}, {**beside, **kept}

    def _kind_of(self, item: Any) -> str:
        return self._kind if isinstance(item, str) and self._kind in {"xml", "text"} else "body"

    def _add_times(self, message: dict[str, Any], scope: Scope) -> None:
        received = scope.hit.received_at
        original = _time(template(self._preset.time).value(scope))
        if original is not None:
            message["originalTimestamp"] = to_iso(original)
        message["timestamp"] = to_iso(corrected(received, None, original))
        message["receivedAt"] = to_iso(received)


def _time(value: Any) -> int | None:
    """Return a time in milliseconds since 1970 from ISO 8601, seconds or milliseconds, also as text."""
    if isinstance(value, str) and value.replace(".", "", 1).isascii() and value.replace(".", "", 1).isdigit():
        value = float(value[:20])
    if isinstance(value, int | float) and not isinstance(value, bool) and value < _LEAST_MS:
        value = value * 1000
    return to_ms(value)
