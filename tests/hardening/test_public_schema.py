"""The public door held against its own document by schemathesis: made-up requests, right and wrong."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks

from collector.links import Mark
from collector.sources.email import signer
from collector.sources.keys import add_key
from tools.public_api import public_document

if TYPE_CHECKING:
    from schemathesis import Case

    from tests.conftest import Running
    from tests.hardening.conftest import Tried

CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]
DOCUMENT = public_document()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
# Of the others nothing is asked that could be wrong.
CAN_BE_WRONG = ("/e/{source}", "/v1/{kind}", "/p/{source}.gif", "/s/{source}.js", "/array/{key}/config")
repeatable = settings(
    max_examples=5,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_the_document_is_openapi_3_1_and_names_what_each_path_does() -> None:
    SCHEMA.validate()
    operations = [each for path in DOCUMENT["paths"].values() for each in path.values()]

    assert len(operations) > 60
    assert [each for each in operations if not each["summary"]] == []


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.name.lower())
async def test_the_public_door_answers_as_its_document_says(
    running: Running, mode: GenerationMode, tried: Tried
) -> None:
    """Each path, with the names of real sources and with any others; nothing is a fault."""
    known = await sources(running)
    where = {"base_url": f"http://127.0.0.1:{running.parts.ports.public}", "allow_redirects": False}
    asked: list[str] = []

    def attack_all() -> None:
        for path, methods in DOCUMENT["paths"].items():
            for method in methods:
                if mode.is_negative and path not in CAN_BE_WRONG:
                    continue
                described: Any = SCHEMA[path][method.upper()]
                attack(described.as_strategy(generation_mode=mode), path)

    def attack(strategy: Any, path: str) -> None:
        @repeatable
        @given(case=strategy)
        def one(case: Case) -> None:
            asked.append(path)
            if mode.is_positive:
                case.path_parameters = {**case.path_parameters, **known, "source": named(path)}
            case.call_and_validate(checks=CHECKS, **where)

        one()

    await asyncio.to_thread(attack_all)
    tried("schemathesis against the public door", len(asked))
    assert set(asked) == (set(CAN_BE_WRONG) if mode.is_negative else set(DOCUMENT["paths"]))


def named(path: str) -> str:
    return {"/h": "hook1", "/p": "mail1"}.get(path[:2], "web1")


async def sources(running: Running) -> dict[str, str]:
    """Add a source of each bridge; return what stands for the names in paths."""
    await running.add(id="web1")
    await running.add(id="rest1", bridge="rest")
    await running.add(id="hook1", bridge="webhook")
    mails = await running.add(id="mail1", bridge="email")
    key = await add_key(running.parts.catalogue, "rest1")
    return {"key": key, "token": signer(mails).sign("unsubscribe", Mark("spring", "r1"))}
