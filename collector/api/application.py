"""The API over HTTP: who asks, may they, what do they send; then the operation; then one shape of answers."""

from __future__ import annotations

import asyncio
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from aiohttp import web
from pydantic import ValidationError

from collector.access.gate import CALLER, has_token
from collector.api.errors import ApiError, ErrorBody, as_api_error, faults_of
from collector.api.openapi import document
from collector.api.operation import Call, Reply
from collector.api.table import OPERATIONS
from collector.model import Refusal
from collector.protocols.decode import check_depth
from collector.sources.history import acting

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler
    from pydantic import BaseModel

    from collector.access import Caller
    from collector.api.operation import Operation
    from collector.api.services import Services

log = structlog.get_logger()

_JSON = ("application/json", "application/merge-patch+json")
_DEEPEST = 64
_OWN_PAGES = ("same-origin", "none")


def api_application(services: Services) -> web.Application:
    """Return the application that stands at /api/v1 of the console listener."""
    application = web.Application(middlewares=[_one_shape])
    application.on_shutdown.append(services.close)
    for operation in OPERATIONS:
        application.router.add_route(operation.method, operation.path, partial(_answer, services, operation))
    application.router.add_get("/openapi.json", _describe)
    return application


async def _describe(_request: web.Request) -> web.Response:
    """Answer the OpenAPI document; it tells nothing of this collector, so it needs no token."""
    return web.Response(body=_described(), content_type="application/json")


@cache
def _described() -> bytes:
    """Return the document, made once somebody asks: it takes 20 ms."""
    return orjson.dumps(document(OPERATIONS), option=orjson.OPT_INDENT_2)


async def _answer(services: Services, operation: Operation, request: web.Request) -> web.StreamResponse:
    caller = await _caller(services, request)
    request[CALLER] = caller
    await services.gate.access.throttle.count_call(caller.name, services.settings.api_per_minute)
    if operation.scope and operation.scope not in caller.scopes:
        raise ApiError(403, f"This needs the scope {operation.scope}.")
    if operation.tagged == "required" and "If-Match" not in request.headers:
        raise ApiError(428)
    query = _query(operation, request)
    body = await _body(services, operation, request) if operation.body else None
    with acting(caller.name):
        reply = await operation.handler(Call(services, caller, request, query, body))
    if not isinstance(reply, Reply):
        return reply
    if request.headers.get("If-None-Match", "-") == reply.headers.get("ETag"):
        return web.Response(status=304, headers=reply.headers)
    return _json(operation.status, reply.body, reply.headers)


async def _caller(services: Services, request: web.Request) -> Caller:
    """Return who asks: the bearer of a token; for reading also a session, on a page of the console."""
    caller = await services.gate.by_token(request)
    own_page = request.headers.get("Sec-Fetch-Site", "none") in _OWN_PAGES
    if caller is None and request.method == "GET" and own_page and not has_token(request):
        caller = await services.gate.by_cookie(request)
    if caller is None:
        raise ApiError(401, headers={"WWW-Authenticate": "Bearer"})
    return caller


def _query(operation: Operation, request: web.Request) -> Any:
    """Return the query's parameters, checked; each may be given once. Raises ApiError 422."""
    given = dict(request.query)
    if len(given) < len(request.query):
        raise ApiError(422, "A parameter is given twice.")
    if operation.query is None:
        if given:
            raise ApiError(422, f"{next(iter(given))[:50]!r} is no parameter of this.")
        return None
    return _checked(operation.query, given)


async def _body(services: Services, operation: Operation, request: web.Request) -> Any:
    """Return the JSON body, checked. Raises ApiError 400, 408, 413, 415, 422."""
    if request.content_type not in _JSON or request.headers.get("Content-Encoding", "identity") != "identity":
        raise ApiError(415)
    try:
        async with asyncio.timeout(services.settings.body_seconds):
            raw = await request.read()
    except TimeoutError:
        raise ApiError(408) from None
    try:
        value = orjson.loads(raw)  # not the forgiving parser: whole numbers that it takes cannot be written
        check_depth(value, _DEEPEST)
    except (orjson.JSONDecodeError, Refusal) as error:
        raise ApiError(
            400, error.message if isinstance(error, Refusal) else "The body is not JSON."
        ) from None
    if operation.plain_body:
        if not isinstance(value, dict):
            raise ApiError(422, "The body is not an object.")
        return value
    return _checked(operation.body, value) if operation.body else None


def _checked(model: type[BaseModel], value: Any) -> BaseModel:
    """Return what was sent as its model. Raises ApiError 422 that names each fault, and no value."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ApiError(422, faults=faults_of(error)) from None


@web.middleware
async def _one_shape(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error in the one shape; a fault of ours is logged once."""
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        error = ApiError(413)
    except web.HTTPMethodNotAllowed as wrong:
        error = ApiError(405, headers={"Allow": ", ".join(sorted(wrong.allowed_methods))})
    except web.HTTPNotFound:
        error = ApiError(404)
    except ConnectionError:
        raise  # who asked has gone
    except Exception as raised:
        converted = as_api_error(raised)
        if converted is None:
            log.exception("fault", path=request.path)
        error = converted or ApiError(500)
    return _json(error.status, error.body, error.headers)


def _json(status: int, body: BaseModel | None, headers: Any) -> web.Response:
    if body is None:
        return web.Response(status=204 if status == 200 else status, headers=headers)  # noqa: PLR2004
    told = body.model_dump(mode="json", exclude_none=not isinstance(body, ErrorBody))
    return web.Response(
        status=status, body=orjson.dumps(told), content_type="application/json", headers=headers
    )
