"""The real API held against its own document: made-up requests, right and wrong, bounded and repeatable."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks

from collector.api import OPERATIONS, document

if TYPE_CHECKING:
    from schemathesis import Case

    from collector.api.operation import Operation
    from tests.api.conftest import Api

CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
]
SCHEMA = schemathesis.openapi.from_dict(document(OPERATIONS))
STREAMED = "text/event-stream"  # goes on for as long as somebody listens: has tests of its own
repeatable = settings(
    max_examples=8,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_the_document_is_openapi_3_1() -> None:
    SCHEMA.validate()

    assert SCHEMA.raw_schema["openapi"] == "3.1.0"
    names = [operation.name for operation in OPERATIONS]
    assert len(names) == len(set(names))
    assert all(operation.summary.endswith(".") for operation in OPERATIONS)


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.media != STREAMED], ids=lambda each: each.name
)
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.name.lower())
async def test_an_operation_answers_as_the_document_says(
    api: Api, operation: Operation, mode: GenerationMode
) -> None:
    """What is right by the document is answered by it, and what is wrong is refused; nothing is a fault."""
    named = await fill(api, operation)
    described: Any = SCHEMA[operation.path][operation.method]
    where = {
        "base_url": f"http://127.0.0.1:{api.running.parts.ports.console}/api/v1",
        "headers": {"Authorization": f"Bearer {api.token}"},
    }

    @repeatable
    @given(case=described.as_strategy(generation_mode=mode))
    def attack(case: Case) -> None:
        if mode.is_positive:
            case.path_parameters = {name: named[name] for name in case.path_parameters}
        case.call_and_validate(checks=CHECKS, **where)

    await asyncio.to_thread(attack)


async def fill(api: Api, operation: Operation) -> dict[str, str]:
    """Make what an operation is about; return what stands for the names in its path."""
    bridge = "web"
    if "/keys" in operation.path:
        bridge = "rest"
    if "deliver" in operation.path:
        bridge = "webhook"
    if "message" in operation.path or "mails" in operation.path:
        bridge = "email"
    if "link" in operation.path or "sign" in operation.path or "withdraw" in operation.path:
        bridge = "email"
    await api.running.add(id="source", bridge=bridge)
    named = {"source": "source", "message": "m1"}
    if bridge == "rest":
        await api.json("POST", "/sources/source/keys", {"label": "a"})
        named["key"] = (await api.json("GET", "/sources/source/keys"))["items"][0]["id"]
    if bridge == "email":
        made = await api.json("POST", "/sources/source/short-links", {"target": "https://shop.example/"})
        named["link"] = made["id"]
    return named
