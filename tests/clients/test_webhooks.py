"""Deliveries that nobody here wrote: GitHub's published examples, and what vendors' own packages sign."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import subprocess
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from yarl import URL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.island import Island
    from tests.conftest import Running

SECRET = "s3cret"  # noqa: S105


@pytest.fixture(scope="module")
def examples(packages: Path) -> list[dict[str, Any]]:
    """GitHub's example deliveries from @octokit/webhooks-examples 7.6.1."""
    printed = subprocess.run(["node", "send/examples.mjs"], cwd=packages, check=True, capture_output=True)
    return [orjson.loads(line) for line in printed.stdout.splitlines()]


async def test_every_example_of_github_becomes_one_event(
    running: Running, examples: list[dict[str, Any]]
) -> None:
    source = await running.add(bridge="webhook", settings={"preset": "github", "secrets": [SECRET]})

    statuses = set()
    for number, example in enumerate(examples):
        body = orjson.dumps(example["body"])
        headers = {
            "X-GitHub-Event": example["name"],
            "X-GitHub-Delivery": str(number),
            "X-Hub-Signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
        }
        statuses.add((await running.public.post(f"/h/{source.id}", data=body, headers=headers)).status)

    events = await running.events()
    assert statuses == {200}
    assert len(events) == len(examples) > 300
    for event, example in zip(events, examples, strict=True):
        action = example["body"].get("action")
        assert event["event"] == (f"{example['name']}.{action}" if action else example["name"])
        assert event["properties"] == example["body"]


async def test_what_the_npm_package_of_cloudevents_sends_is_taken_in_all_modes(
    running: Running, packages: Path, place: Island
) -> None:
    source = await running.add(bridge="webhook", settings={"preset": "cloudevents"})
    url = f"http://{place.address}:{running.parts.ports.public}/h/{source.id}"

    command = (*place.enter, "node", "send/cloudevents.mjs", url)
    process = await asyncio.create_subprocess_exec(*command, cwd=packages, env=place.environment)
    assert await asyncio.wait_for(process.wait(), 30) == 0

    events = await running.events()
    assert [event["messageId"] for event in events] == ["/shop#1", "/shop#2", "/shop#3", "/shop#4"]
    assert {(event["event"], event["timestamp"], event["properties"]["total"]) for event in events} == {
        ("order.paid", "2026-01-02T03:04:05.000Z", 42)
    }
    # In binary mode this version writes raw Latin-1 into a header; what is no UTF-8 is replaced.
    subjects = [event["context"]["webhook"]["subject"] for event in events]
    assert subjects == ["Z\ufffdrich", "Zürich", "Zürich", "Zürich"]


@pytest.mark.parametrize("convert", [to_binary_event, to_structured_event])
async def test_what_the_python_package_of_cloudevents_sends_is_taken(running: Running, convert: Any) -> None:
    source = await running.add(bridge="webhook", settings={"preset": "cloudevents"})
    attributes = {
        "id": "1",
        "source": "/shop",
        "type": "order.paid",
        "specversion": "1.0",
        "subject": "Zürich",
    }
    message = convert(CloudEvent(attributes, {"total": 42}))

    answer = await running.public.post(f"/h/{source.id}", data=message.body, headers=message.headers)

    assert answer.status == 200
    (event,) = await running.events()
    assert (event["event"], event["properties"]) == ("order.paid", {"total": 42})
    assert event["context"]["webhook"]["subject"] == "Zürich"


SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMDEyMzQ1Njc="  # noqa: S105 - 32 bytes, as GitLab asks
SIGNED = ["github", "standard", "standard", "gitlab", "hubspot", "hubspot", "sendgrid"]


async def test_what_vendors_own_packages_sign_is_taken_and_nothing_changed_is(
    running: Running, packages: Path
) -> None:
    """@octokit/webhooks-methods, standardwebhooks, svix, @hubspot/api-client and @sendgrid/eventwebhook."""
    source = await running.add(bridge="webhook")
    address = f"http://127.0.0.1:{running.parts.ports.public}/h/{source.id}"
    command = ("node", "send/sign.mjs", address, SIGNING_SECRET)
    process = await asyncio.create_subprocess_exec(*command, cwd=packages, stdout=subprocess.PIPE)
    printed, _ = await asyncio.wait_for(process.communicate(), 30)
    deliveries = [orjson.loads(line) for line in printed.splitlines()]
    assert [delivery["preset"] for delivery in deliveries] == SIGNED

    for number, delivery in enumerate(deliveries, 1):
        secrets = ["older", delivery["secret"]]
        settings = {"preset": delivery["preset"], "secrets": secrets}
        await running.parts.catalogue.change(source.id, {"settings": settings})
        url, body = URL(address + delivery["path"], encoded=True), delivery["body"].encode()

        changed = await running.public.post(url, data=body + b" ", headers=delivery["headers"])
        signed = await running.public.post(url, data=body, headers=delivery["headers"])

        assert (changed.status, signed.status) == (401, 200), delivery
        assert len(await running.events()) == number
