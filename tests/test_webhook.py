"""Webhooks through the real door: what providers send becomes events, once, and is answered as they need."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.conftest import until

if TYPE_CHECKING:
    from tests.conftest import Running

SECRET = "s3cret"  # noqa: S105
MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n'
    b'--b\r\nContent-Disposition: form-data; name="cv"; filename="cv.pdf"\r\n'
    b"Content-Type: application/pdf\r\n\r\n%PDF\r\n--b--\r\n"
)


async def hook(running: Running, **settings: Any) -> str:
    source = await running.add(bridge="webhook", settings=settings)
    return f"/h/{source.id}"


def github(body: bytes, **headers: str) -> dict[str, str]:
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {
        "X-Hub-Signature-256": f"sha256={signature}",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": "d1",
        **headers,
    }


async def test_a_signed_delivery_and_its_redelivery_are_one_event(running: Running) -> None:
    path = await hook(running, preset="github", secrets=[SECRET])
    body = orjson.dumps({"action": "opened", "sender": {"login": "ada"}, "issue": {"number": 7}})

    answers = [await running.public.post(path, data=body, headers=github(body)) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    (event,) = await running.events()
    assert (event["messageId"], event["event"], event["userId"]) == ("d1", "issues.opened", "ada")
    assert event["properties"]["issue"] == {"number": 7}
    assert event["context"]["webhook"] == {"preset": "github"}


async def test_both_secrets_are_taken_while_one_replaces_the_other(running: Running) -> None:
    path = await hook(running, preset="github", secrets=["new", SECRET])
    body = b'{"zen":"x"}'

    assert (await running.public.post(path, data=body, headers=github(body))).status == 200


FORM = "application/x-www-form-urlencoded; charset=utf-8"
FILE = {"filename": "cv.pdf", "contentType": "application/pdf", "size": 4}
BODIES = [
    ("json", b'{"a": 1}', "application/json; charset=utf-8", {"a": 1}),
    ("a list", b'[1, {"b": 2}]', "application/json", {"body": [1, {"b": 2}]}),
    ("form", b"a=1&b[c]=2&d=3&d=4", FORM, {"a": "1", "b": {"c": "2"}, "d": ["3", "4"]}),
    ("multipart", MULTIPART, "multipart/form-data; boundary=b", {"name": "Ada", "cv": FILE}),
    ("plain form", b"a=1\r\nb=2 3\r\n", "text/plain", {"a": "1", "b": "2 3"}),
    ("text", b"disk is full", "text/plain", {"text": "disk is full"}),
    ("xml", b"<a>1</a>", "text/xml", {"xml": "<a>1</a>"}),
]


@pytest.mark.parametrize(("_name", "body", "label", "expected"), BODIES, ids=[row[0] for row in BODIES])
async def test_any_body_becomes_properties(
    running: Running, _name: str, body: bytes, label: str, expected: Any
) -> None:
    path = await hook(running)

    answer = await running.public.post(f"{path}/alarms/disk", data=body, headers={"Content-Type": label})

    assert answer.status == 200
    (event,) = await running.events()
    assert (event["event"], event["properties"]) == ("alarms/disk", expected)


async def test_who_can_only_get_sends_the_query(running: Running) -> None:
    path = await hook(running, event="Door {query.state}")

    answer = await running.public.get(f"{path}?state=open&n=1")

    assert answer.status == 200
    (event,) = await running.events()
    assert (event["event"], event["properties"]) == ("Door open", {"state": "open", "n": "1"})


async def test_a_bare_get_only_looks_whether_someone_is_there(running: Running) -> None:
    path = await hook(running)

    assert (await running.public.get(path)).status == 200
    assert await running.events() == []


async def test_a_secret_in_the_address_is_asked_for_and_not_stored(running: Running) -> None:
    path = await hook(running, secrets=[SECRET])

    answers = [
        (await running.public.get(f"{path}?{query}")).status
        for query in (
            "state=open",
            "state=open&secret=wrong",
            f"state=open&secret={SECRET}",
            f"secret={SECRET}",
        )
    ]

    assert answers == [401, 401, 200, 200]
    (event,) = await running.events()
    assert event["properties"] == {"state": "open"}


async def test_a_head_is_no_delivery(running: Running) -> None:
    path = await hook(running)

    assert (await running.public.head(f"{path}?state=open")).status == 200
    assert await running.events() == []


async def test_templates_map_a_delivery(running: Running) -> None:
    path = await hook(
        running,
        event="{header.x-kind}: {body.what|body.kind}",
        id="{body.meta.id}",
        time="{body.at}",
        user="{body.mail}",
        hash_user=True,
        properties={"first": "{body.list.0}", "all": "{body.list}", "fixed": "word", "none": "{body.no}"},
    )
    body = {"kind": "ping", "meta": {"id": 7}, "at": 1767323045, "mail": " Ada@Example.com ", "list": [1, 2]}

    await running.public.post(path, json=body, headers={"X-Kind": "test"})

    (event,) = await running.events()
    assert event["event"] == "test: ping"
    assert event["messageId"] == "7"
    assert event["originalTimestamp"] == "2026-01-02T03:04:05.000Z"
    assert event["userId"] == hashlib.sha256(b"ada@example.com").hexdigest()
    assert event["properties"] == {"first": 1, "all": [1, 2], "fixed": "word"}


def slack(body: bytes, when: float) -> dict[str, str]:
    stamp = str(int(when))
    digest = hmac.new(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Signature": f"v0={digest}", "X-Slack-Request-Timestamp": stamp}


async def test_slacks_challenge_is_echoed_and_is_no_event(running: Running) -> None:
    path = await hook(running, preset="slack", secrets=[SECRET])
    body = b'{"type":"url_verification","challenge":"c1","token":"t"}'

    answer = await running.public.post(path, data=body, headers=slack(body, time.time()))

    assert (answer.status, await answer.text()) == (200, "c1")
    assert await running.events() == []


async def test_a_slash_command_is_an_event_and_is_answered_with_nothing(running: Running) -> None:
    path = await hook(running, preset="slack", secrets=[SECRET])
    body = b"command=%2Fcall&text=ada&user_id=U1&trigger_id=7.8&token=legacy"

    answer = await running.public.post(path, data=body, headers=slack(body, time.time()))

    assert (answer.status, await answer.text()) == (200, "")
    (event,) = await running.events()
    assert (event["event"], event["userId"], event["messageId"]) == ("/call", "U1", "7.8")
    assert "token" not in event["properties"]


async def test_cloudevents_arrive_in_all_three_modes(running: Running) -> None:
    path = await hook(running, preset="cloudevents")
    binary = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/s",
        "ce-type": "t.a",
        "ce-subject": "%C3%BC",
    }
    event = {
        "specversion": "1.0",
        "id": "2",
        "source": "/s",
        "type": "t.b",
        "time": "2026-01-02T03:04:05Z",
        "data": {"n": 2},
    }
    structured = {"Content-Type": "application/cloudevents+json"}
    batch = {"Content-Type": "application/cloudevents-batch+json"}

    await running.public.post(path, data=b'{"n":1}', headers={**binary, "Content-Type": "application/json"})
    await running.public.post(path, data=orjson.dumps(event), headers=structured)
    answer = await running.public.post(
        path, data=orjson.dumps([event, {**event, "id": "3"}, {"id": "4"}]), headers=batch
    )

    assert answer.status == 200
    assert [row["index"] for row in (await answer.json())["refused"]] == [2]
    events = await running.events()
    assert [(event["event"], event["messageId"], event["properties"]["n"]) for event in events] == [
        ("t.a", "/s#1", 1),
        ("t.b", "/s#2", 2),
        ("t.b", "/s#3", 2),
    ]
    assert events[0]["context"]["webhook"]["subject"] == "ü"


async def test_cloudevents_handshake(running: Running) -> None:
    path = await hook(running, preset="cloudevents")

    answer = await running.public.options(path, headers={"WebHook-Request-Origin": "events.example"})

    assert answer.headers["WebHook-Allowed-Origin"] == "events.example"
    assert answer.headers["WebHook-Allowed-Rate"] == "*"


async def test_a_form_leads_to_its_page_and_a_script_gets_json(running: Running) -> None:
    path = await hook(running, preset="form", thank_you="https://shop.example/thanks", honeypot="website")
    form = {"mail": "ada@example.com", "website": ""}

    person = await running.public.post(f"{path}/contact", data=form, allow_redirects=False)
    script = await running.public.post(f"{path}/contact", data=form, headers={"Accept": "application/json"})
    robot = await running.public.post(path, data={**form, "website": "spam"}, allow_redirects=False)

    assert (person.status, person.headers["Location"]) == (303, "https://shop.example/thanks")
    assert await script.json() == {"success": True}
    assert robot.status == 303
    assert [event["event"] for event in await running.events()] == ["contact", "contact"]


async def test_one_address_may_send_so_many_a_minute(running: Running) -> None:
    path = await hook(running, preset="form", per_minute=2)

    answers = [(await running.public.post(path, data={"a": "1"})).status for _ in range(4)]

    assert answers.count(429) >= 1  # a minute may begin in between
    assert answers[:2] == [200, 200]


async def test_a_provider_that_was_not_given_the_secret_is_told_apart_from_one_with_another(
    running: Running,
) -> None:
    await running.add(id="gh", bridge="webhook", settings={"preset": "github", "secrets": ["right"]})
    signed = {"X-Hub-Signature-256": "sha256=" + "0" * 64}

    without, wrong = [await running.public.post("/h/gh", json={}, headers=each) for each in ({}, signed)]

    assert (await without.json())["message"].endswith("give the provider the secret, too.")
    assert (await wrong.json())["message"] == "None of the source's secrets signed this delivery."


async def test_the_last_deliveries_are_remembered_with_their_verdict(running: Running) -> None:
    path = await hook(running, preset="github", secrets=[SECRET])
    body = b'{"action":"opened"}'
    source = path.removeprefix("/h/")

    await running.public.post(path, data=body, headers=github(body))
    await running.public.post(path, data=body, headers=github(b"other"))

    async def two() -> Any:
        rows = await running.parts.deliveries.last(source)
        return rows if len(rows) == 2 else None

    refused, stored = await until(two)
    assert (stored["verdict"], stored["ids"], "raw" in stored) == ("stored", "d1", False)
    assert (refused["verdict"], refused["reason"]) == ("refused", "bad_signature")
    assert base64.b64decode(refused["raw"]["body"]) == body


BAD_SETTINGS = [
    {"preset": "nobody"},
    {"event": "{body.a"},
    {"event": "{foot.a}"},
    {"user": "{header}"},
    {"thank_you": "javascript:alert(1)"},
    {"secrets": [""]},
]


@pytest.mark.parametrize("bad", BAD_SETTINGS)
async def test_settings_that_cannot_work_are_refused(running: Running, bad: dict[str, Any]) -> None:
    from collector.sources import SourceError  # noqa: PLC0415

    with pytest.raises(SourceError):
        await hook(running, **bad)
