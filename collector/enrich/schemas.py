"""The defined payload: JSON Schemas for the properties of a source's events, by the event's name."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from collector.model import Reason, Refusal
from collector.schema import compiled

if TYPE_CHECKING:
    from collector.model import Event, Hit

_MOST_ERRORS = 3
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class _Schema:
    """A schema with what makes it another one: its source, as of its last change, and the event."""

    source: str
    updated: str
    event: str
    body: dict[str, Any] = field(compare=False)


def judge(event: Event, hit: Hit) -> Refusal | None:
    """Flag or refuse an event whose properties (traits, if it identifies) do not fit its schema."""
    settings = hit.source.enrichment
    name = name_of(event)
    body = settings.schemas.get(name)
    if settings.schema_mode == "off" or body is None:
        return None
    schema = _Schema(hit.source.id, hit.source.updated, name, body)
    payload = event.message.get("traits" if event.type == "identify" else "properties", {})
    errors = _errors(_validator(schema), payload)
    if not errors:
        return None
    if settings.schema_mode == "refuse":
        first = "; ".join(f"{error['path'] or 'payload'}: {error['message']}" for error in errors)
        return Refusal(Reason.SCHEMA, f"{first}.")
    event.message["context"] = {**event.message["context"], "schemaErrors": errors}
    return None


def name_of(event: Event) -> str:
    """Return what an event is called: its event, the name of its page or screen, else its type."""
    return str(event.message.get("event") or event.message.get("name") or event.type)


@lru_cache(1024)
def _validator(schema: _Schema) -> Any:
    return compiled(schema.body)


def _errors(validator: Any, payload: Any) -> list[dict[str, str]]:
    """Return the first errors, each with its path, such as /items/0/sku."""
    if validator.is_valid(payload):
        return []
    return [
        {"path": "".join(f"/{part}" for part in error.instance_path), "message": error.message[:_LONGEST]}
        for error in islice(validator.iter_errors(payload), _MOST_ERRORS)
    ]
