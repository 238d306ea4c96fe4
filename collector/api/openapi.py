"""The OpenAPI 3.1 document, made from the table of operations and the models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from collector import __version__
from collector.access import SCOPES
from collector.api.errors import CODES, ErrorBody

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from collector.api.operation import Operation

_REF = "#/components/schemas/{model}"
_ALWAYS = (401, 403, 429, 500, 503)
_WITH_BODY = (400, 408, 413, 415, 422)
_ABOUT = (
    "All that the console does, for programs. A token (`headwater token add`) goes into"
    " `Authorization: Bearer …`; it can do what its scopes say. Reading also works with the session of a"
    " console page. Every error has the same shape."
)
_JSON = "application/json"
_ETAG = {"description": "Names this version; goes into If-Match.", "schema": {"type": "string"}}


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document as JSON data."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    scopes = "".join(f"\n- `{name}`: {about}" for name, (_, about) in SCOPES.items())
    bearer = {"type": "http", "scheme": "bearer", "description": f"An API token. Scopes:{scopes}"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Headwater management API", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {"securitySchemes": {"token": bearer}, "schemas": _schemas(operations)},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    needs = f"Needs the scope `{operation.scope}`." if operation.scope else "Needs any token."
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary.rstrip("."),
        "description": f"{operation.summary} {operation.details} {needs}".replace("  ", " "),
        "tags": [operation.path.split("/")[1]],
        "responses": _responses(operation),
    }
    if parameters := _parameters(operation):
        told["parameters"] = parameters
    if operation.body:
        told["requestBody"] = {"required": True, "content": {_JSON: {"schema": _ref(operation.body)}}}
    return told


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", operation.path)
    ]
    if operation.query:
        schema = _tidy(operation.query.model_json_schema())
        found += [
            {"name": name, "in": "query", "required": False, "schema": each}
            for name, each in schema["properties"].items()
        ]
    if operation.tagged:
        about = "ETag of what was seen; the change is made only if it still stands."
        required = operation.tagged == "required"
        found.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": required,
                "description": about,
                "schema": {"type": "string"},
            }
        )
    return found


def _responses(operation: Operation) -> dict[str, Any]:
    right: dict[str, Any] = {"description": operation.summary}
    if operation.answer:
        right["content"] = {operation.media: {"schema": _ref(operation.answer)}}
        if operation.answer.__name__ == "SourceView":
            right["headers"] = {"ETag": _ETAG}
    statuses = {*_ALWAYS, *operation.refusals, *(_WITH_BODY if operation.body else (422,))}
    statuses |= {404} if "{" in operation.path else set()
    statuses |= {412} if operation.tagged else set()
    statuses |= {428} if operation.tagged == "required" else set()
    error = {"content": {_JSON: {"schema": _ref(ErrorBody)}}}
    return {
        str(operation.status): right,
        **{str(status): {"description": CODES[status][1], **error} for status in sorted(statuses)},
    }


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    pairs: dict[str, tuple[type[BaseModel], Any]] = {"ErrorBody": (ErrorBody, "serialization")}
    for operation in operations:
        for model, mode in ((operation.body, "validation"), (operation.answer, "serialization")):
            if model:
                pairs[model.__name__] = (model, mode)
    _, schema = models_json_schema(list(pairs.values()), ref_template=_REF)
    return {name: _tidy(each) for name, each in schema["$defs"].items()}


def _tidy(schema: Any) -> Any:
    """Leave out what says nothing: titles made from names, and null as default of what cannot be null."""
    if isinstance(schema, list):
        return [_tidy(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if not (key == "default" and value is None)}
    if isinstance(kept.get("title"), str) and ("type" in kept or "anyOf" in kept):
        del kept["title"]
    return {key: _tidy(value) for key, value in kept.items()}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
