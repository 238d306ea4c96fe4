"""CloudEvents over HTTP (specification 1.0.2): binary, structured and batch mode, as one list of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from collector.model import Reason, Refusal

if TYPE_CHECKING:
    from collector.protocols.template import Scope

_MARK = "ce-"
_NEEDED = ("id", "source", "type", "specversion")


def read_cloudevents(scope: Scope) -> list[Any]:
    """Return the events of a delivery in structured form. Raises Refusal as reading the body does."""
    if "ce-specversion" in scope.hit.headers:
        return [_binary(scope)]
    return scope.body if isinstance(scope.body, list) else [scope.body]


def require_cloudevent(item: Any) -> None:
    """Raise Refusal missing_field unless the item has what every CloudEvent must have."""
    missing = [name for name in _NEEDED if not (isinstance(item, dict) and item.get(name))]
    if missing:
        raise Refusal(Reason.MISSING_FIELD, f"A CloudEvent needs {', '.join(missing)}.")


def _binary(scope: Scope) -> dict[str, Any]:
    names = [name.lower() for name in scope.hit.headers if name.lower().startswith(_MARK)]
    event: dict[str, Any] = {name.removeprefix(_MARK): unquote(scope.header(name)) for name in names}
    if scope.payload.kind != "empty":
        event["data"] = scope.body
    return event
