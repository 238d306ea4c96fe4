"""The public door as an OpenAPI document: paths from the routes, sentences from the handlers.

It describes what any client may rely on; what a dialect's body means stands in docs/dialects.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from collector import __version__
from collector.bridges.documents import ClientDocuments
from collector.bridges.email import EmailBridge
from collector.bridges.imports import ImportBridge
from collector.bridges.rest import RestBridge
from collector.bridges.shared_track import SharedTrack
from collector.bridges.tracardi import TracardiBridge
from collector.bridges.web import WebBridge
from collector.bridges.webhook import WebhookBridge
from collector.health import Health
from collector.model import Reason
from collector.protocols.batch import TYPES
from collector.routes import public_routes, unmatched
from collector.tracker import TrackerViews

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aiohttp import web

_NAME = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})*))?\}")
_SHOWN = {"GET", "POST"}
_SIGNED = ("/l/", "/u/")  # people see what is answered there, and no reason
_TEXT = {"type": "string"}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_REFUSED = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"enum": [reason.code for reason in Reason]}, "message": _TEXT},
}
_EVENT = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"enum": list(TYPES)},
        "event": {"type": "string", "maxLength": 512},
        "messageId": {"type": "string", "maxLength": 100},
        **{name: {"type": "string", "maxLength": 512} for name in ("userId", "anonymousId", "sessionId")},
        **{name: {"type": "object"} for name in ("properties", "traits", "context")},
    },
}
_BATCH = {
    "type": "object",
    "required": ["batch"],
    "properties": {"batch": {"type": "array", "maxItems": 500, "items": _ref("Event")}, "sentAt": {}},
}


class _Dialects:
    """Stands for the bridge of other systems' dialects: a handler that says whose clients send there."""

    def takes(self, name: str) -> Callable[[web.Request], None]:
        def handler(_request: web.Request) -> None: ...

        handler.__doc__ = f"Take what clients of the dialect {name} send."
        return handler


def public_document() -> dict[str, Any]:
    """Return the document as JSON data."""
    paths: dict[str, dict[str, Any]] = {}
    for route in _routes():
        if route.method in _SHOWN or route.method == "*":
            for method in _SHOWN if route.method == "*" else {route.method}:
                path = _NAME.sub(r"{\1}", route.path)
                paths.setdefault(path, {})[method.lower()] = _operation(method, route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Headwater public door", "version": __version__},
        "paths": {path: dict(sorted(paths[path].items())) for path in sorted(paths)},
        "components": {"schemas": {"Event": _EVENT, "Batch": _BATCH, "Refused": _REFUSED}},
    }


def _routes() -> Iterator[web.RouteDef]:
    """Yield the routes that serve something, with the rooms' classes for their objects."""
    rooms: Any = {
        "tracker": TrackerViews,
        "browser": WebBridge,
        "rest": RestBridge,
        "imports": ImportBridge,
        "documents": ClientDocuments,
        "tracardi": TracardiBridge,
        "dialects": _Dialects(),
        "shared_track": SharedTrack,
        "webhooks": WebhookBridge,
        "email": EmailBridge,
        "health": Health,
        "elsewhere": unmatched,
    }
    yield from (route for route in public_routes("", **rooms) if "{rest:" not in route.path)


def _operation(method: str, route: web.RouteDef) -> dict[str, Any]:
    about = (route.handler.__doc__ or "").partition("\n")[0]
    told: dict[str, Any] = {"summary": about.rstrip("."), "responses": _responses(route.path)}
    if parameters := [_parameter(*found) for found in _NAME.findall(route.path)]:
        told["parameters"] = parameters
    if method == "POST":
        told["requestBody"] = {"content": {"*/*": {"schema": _body(route.path)}}}
    return told


def _parameter(name: str, pattern: str) -> dict[str, Any]:
    schema = (
        {"type": "string", "pattern": f"^({pattern})$"} if pattern else {"type": "string", "minLength": 1}
    )
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _body(path: str) -> dict[str, Any]:
    if path.startswith("/e/{"):
        return _ref("Batch")
    if path.startswith("/v1/{"):
        return {"anyOf": [_ref("Event"), _ref("Batch")]}
    return {}


def _responses(path: str) -> dict[str, Any]:
    """Return what may be answered: success in the client's own shape, a refusal with its reason."""
    header = {
        "X-Headwater-Reason": {"description": "Which of the reasons.", "schema": _TEXT, "required": True}
    }
    refused: dict[str, Any] = {"description": "Refused; see docs/reasons.md."}
    if not path.startswith(_SIGNED):
        refused["headers"] = header
    if path.startswith(("/e/{", "/v1/{", "/h/{")):
        refused["content"] = {"application/json": {"schema": _ref("Refused")}}
    return {
        "2XX": {"description": "Every event that the answer does not name is safe."},
        "3XX": {"description": "Where a link, a form or a forgotten digest leads."},
        "4XX": refused,
        "503": {"description": "It could not be made safe, or load is shed: again after Retry-After."},
    }
