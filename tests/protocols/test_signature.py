"""Signatures: what vendors sign is taken, and nothing else is, whatever it looks like."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import stripe
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from slack_sdk.signature import SignatureVerifier
from standardwebhooks.webhooks import Webhook
from twilio.request_validator import RequestValidator

from collector.model import Hit, Reason, Refusal, Source
from collector.protocols import Limits
from collector.protocols.presets import PRESETS
from collector.protocols.sample import sample
from collector.protocols.webhook import Plan, webhook
from collector.sources.servers import WebhookSettings

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
URL = "https://collect.example/h/hook1"
NOW = 1767323045000
SIGNED = [name for name, preset in PRESETS.items() if preset.recipe and preset.recipe.kind == "hmac"]
SECURED = [name for name, preset in PRESETS.items() if preset.recipe] + ["hmac"]


def plan_of(preset: str, *secrets: str, **fields: Any) -> Plan:
    return WebhookSettings(preset=preset, secrets=secrets, **fields).plan


def made(plan: Plan) -> Hit:
    """Return a signed test delivery, with headers as aiohttp gives them."""
    source = Source(id="hook1", name="Test", bridge="webhook", settings=None)
    hit = sample(source, plan, URL, NOW)
    return replace(hit, headers=CIMultiDict(hit.headers))


def received(body: bytes, **headers: str) -> Hit:
    source = Source(id="hook1", name="Test", bridge="webhook", settings=None)
    now = time.time_ns() // 1_000_000
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return Hit(source, now, body, headers=named, url=URL)


def refusal(plan: Plan, hit: Hit) -> Reason | None:
    """Return why a delivery is refused, None when it is taken."""
    try:
        webhook(plan)(hit, Limits())
    except Refusal as caught:
        return caught.reason
    return None


@pytest.mark.parametrize("preset", [*SIGNED, "gitlab", "mailchimp", "hmac"])
def test_a_test_delivery_is_signed_as_the_provider_would(preset: str) -> None:
    plan = plan_of(preset, SECRET)
    batch = webhook(plan)(made(plan), Limits())

    assert [event.type for event in batch.events] == ["track"]


def flipped_body(hit: Hit) -> Hit:
    return replace(hit, body=hit.body[:-3] + bytes([hit.body[-3] ^ 1]) + hit.body[-2:])


def emptied(hit: Hit) -> Hit:
    return replace(hit, headers=CIMultiDict(), body=b"{}", query="", url=URL)


SIGNED_BODY = [name for name in [*SIGNED, "hmac"] if name != "mailgun"]


@pytest.mark.parametrize("preset", SIGNED_BODY)
def test_one_flipped_bit_of_the_body_is_refused(preset: str) -> None:
    plan = plan_of(preset, SECRET)

    assert refusal(plan, flipped_body(made(plan))) is Reason.BAD_SIGNATURE


@pytest.mark.parametrize("preset", [*SIGNED, "hmac", "gitlab", "mailchimp"])
@pytest.mark.parametrize("secret", ["", "x", "whsec_", "whsec_!!!", "whpk_AAAA", SECRET + "x"])
def test_another_secret_is_refused(preset: str, secret: str) -> None:
    hit = made(plan_of(preset, SECRET))
    # The settings refuse an empty secret; the verifier does not rely on that.
    plan = replace(plan_of(preset, SECRET), secrets=(secret,))

    assert refusal(plan, hit) is Reason.BAD_SIGNATURE


@pytest.mark.parametrize("preset", [*SIGNED, "gitlab", "mailchimp", "hmac", "sendgrid"])
def test_a_source_without_a_secret_refuses_everything(preset: str) -> None:
    hit = received(b"{}", X_Signature="", Authorization="Bearer ")

    assert refusal(plan_of(preset), hit) is Reason.BAD_SIGNATURE


@pytest.mark.parametrize("preset", SECURED)
def test_a_delivery_without_anything_is_refused(preset: str) -> None:
    assert refusal(plan_of(preset, SECRET), emptied(received(b""))) in {
        Reason.BAD_SIGNATURE,
        Reason.STALE_SIGNATURE,
    }


TIMED = [
    name
    for name in SIGNED
    if (recipe := PRESETS[name].recipe) and (recipe.timestamp or recipe.timestamp_prefix)
]


@pytest.mark.parametrize("preset", TIMED)
@pytest.mark.parametrize("direction", [-1, 1])
def test_a_signed_time_too_far_away_is_refused(preset: str, direction: int) -> None:
    plan = plan_of(preset, SECRET)
    recipe = plan.preset.recipe
    assert recipe
    away = (recipe.tolerance_seconds * 1000 + 2000) * direction

    hit = made(plan)

    assert refusal(plan, replace(hit, received_at=NOW + away)) is Reason.STALE_SIGNATURE


GARBAGE = [
    *("", " ", "=", ",", "v1=", "t=,v1=", "t=99999999999999999999999,v1=00", "v1,", "v1,AAAA v1a,AAAA"),
    *("\udcfc\udc80", "é" * 5000, "Bearer ", "sha256=", "-1", "1e9", "١٢٣", "\x00", "0x10", "a" * 8000),
]


@pytest.mark.parametrize("preset", SECURED)
@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_in_any_header_is_refused_and_no_fault(preset: str, garbage: str) -> None:
    plan = plan_of(preset, SECRET)
    good = made(plan) if preset in SIGNED else received(b"{}")
    recipe = plan.preset.recipe
    assert recipe
    for name in {*good.headers, "Authorization", "X-Twilio-Email-Event-Webhook-Signature"}:
        headers = CIMultiDict(good.headers)
        headers[name] = garbage
        with_garbage = replace(good, headers=headers)

        webhook_or_refusal = refusal(plan, with_garbage)

        signs = {"signature", "timestamp"} & {
            place for place in ("signature", "timestamp") if name.lower() in getattr(recipe, place)
        }
        assert not signs or webhook_or_refusal in {Reason.BAD_SIGNATURE, Reason.STALE_SIGNATURE}


@given(body=st.binary(max_size=200), value=st.text(max_size=80), preset=st.sampled_from(SECURED))
def test_no_body_or_header_makes_a_fault(body: bytes, value: str, preset: str) -> None:
    plan = plan_of(preset, SECRET)
    recipe = plan.preset.recipe
    assert recipe
    hit = received(body, X_Hub_Signature_256=value, X_Slack_Signature=value, Webhook_Signature=value)
    hit.headers["Content-Type"] = value  # type: ignore[index]

    assert refusal(plan, hit) is not None


# Vendors' own signers, each over a body of our choice.

BODY = b'{"type":"thing.happened","id":"evt_1","n":"\xc3\xbc"}'


def by_stripe() -> tuple[str, Hit]:
    stamp = str(int(time.time()))
    signature = stripe.WebhookSignature._compute_signature(f"{stamp}.{BODY.decode()}", SECRET)
    return "stripe", received(BODY, Stripe_Signature=f"t={stamp},v1=00,v1={signature},v0=x")


def by_slack() -> tuple[str, Hit]:
    stamp = str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=BODY)
    return "slack", received(BODY, X_Slack_Signature=str(signature), X_Slack_Request_Timestamp=stamp)


def by_standard_webhooks(prefix: str = "webhook") -> tuple[str, Hit]:
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign("msg_1", now, BODY.decode())
    headers = {"id": "msg_1", "timestamp": str(int(now.timestamp())), "signature": f"v1,AAAA {signature}"}
    return "standard", received(BODY, **{f"{prefix}_{name}": value for name, value in headers.items()})


def by_svix_headers() -> tuple[str, Hit]:
    return by_standard_webhooks("svix")


def by_twilio() -> tuple[str, Hit]:
    form = {"From": "+41", "Body": "hi there", "MessageSid": "SM1", "SmsStatus": "received"}
    signature = RequestValidator(SECRET).compute_signature(URL, form)
    body = b"From=%2B41&Body=hi+there&MessageSid=SM1&SmsStatus=received"
    return "twilio", received(body, X_Twilio_Signature=signature)


def by_twilio_with_port() -> tuple[str, Hit]:
    signature = RequestValidator(SECRET).compute_signature(URL.replace("example/", "example:443/"), {})
    return "twilio", received(b"", X_Twilio_Signature=signature)


def by_twilio_with_a_shared_key() -> tuple[str, Hit]:
    form = {"CallSid": "CA1", "CallStatus": "completed"}
    signature = RequestValidator(SECRET).compute_signature(URL, form, "HMAC_SHA256")
    settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    headers = {"X_Twilio_Signature": signature, "X_Twilio_Webhooks_Signature_Settings": settings}
    return "twilio", received(b"CallSid=CA1&CallStatus=completed", **headers)


VENDORS = [
    *(by_stripe, by_slack, by_standard_webhooks, by_svix_headers),
    *(by_twilio, by_twilio_with_port, by_twilio_with_a_shared_key),
]


@pytest.mark.parametrize("signer", VENDORS, ids=lambda signer: signer.__name__)
def test_what_a_vendors_own_library_signs_is_taken(signer: Callable[[], tuple[str, Hit]]) -> None:
    preset, hit = signer()

    assert refusal(plan_of(preset, "older", SECRET), hit) is None
    assert refusal(plan_of(preset, "older"), hit) is Reason.BAD_SIGNATURE


def test_the_published_example_of_github_is_taken() -> None:
    """The values stand in GitHub's documentation of validating deliveries."""
    hit = received(
        b"Hello, World!",
        X_Hub_Signature_256="sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        X_GitHub_Event="ping",
    )

    assert refusal(plan_of("github", "It's a Secret to Everybody"), hit) is None


def test_the_published_example_of_slack_is_taken() -> None:
    """The values stand in Slack's documentation of verifying requests."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    hit = received(
        body,
        X_Slack_Signature="v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        X_Slack_Request_Timestamp="1531420618",
    )
    then = replace(hit, received_at=1531420618000)

    assert refusal(plan_of("slack", "8f742231b10e8888abcd99yyyzzz85a5"), then) is None


def test_sendgrids_elliptic_curve_signature_is_taken_and_a_changed_body_is_not() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    public = base64.b64encode(
        private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode()
    stamp = str(int(time.time()))
    body = json.dumps([{"event": "open", "sg_event_id": "e1", "email": "a@example.com"}]).encode()
    signature = base64.b64encode(private.sign(stamp.encode() + body, ec.ECDSA(SHA256()))).decode()
    headers = {
        "X_Twilio_Email_Event_Webhook_Signature": signature,
        "X_Twilio_Email_Event_Webhook_Timestamp": stamp,
    }

    assert refusal(plan_of("sendgrid", public), received(body, **headers)) is None
    assert refusal(plan_of("sendgrid", public), received(body + b" ", **headers)) is Reason.BAD_SIGNATURE


def test_standard_webhooks_asymmetric_signature_is_taken() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    stamp = str(int(time.time()))
    signature = base64.b64encode(private.sign(f"msg_1.{stamp}.".encode() + BODY)).decode()
    headers = {"webhook_id": "msg_1", "webhook_timestamp": stamp, "webhook_signature": f"v1a,{signature}"}
    plan = plan_of("standard", "whpk_" + base64.b64encode(public).decode())

    assert refusal(plan, received(BODY, **headers)) is None
    assert refusal(plan, received(BODY + b" ", **headers)) is Reason.BAD_SIGNATURE


def test_twilios_json_is_signed_by_its_digest() -> None:
    digest = hashlib.sha256(BODY).hexdigest()
    url = f"{URL}?bodySHA256={digest}"
    hit = replace(
        received(BODY, X_Twilio_Signature=RequestValidator(SECRET).compute_signature(url, {})),
        url=url,
        query=f"bodySHA256={digest}",
    )

    assert refusal(plan_of("twilio", SECRET), hit) is None
    assert refusal(plan_of("twilio", SECRET), replace(hit, body=b"{}")) is Reason.BAD_SIGNATURE
