"""Every preset through the real door: what its provider signs is stored once, and nothing else ever is."""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from collector.protocols.presets import PRESETS
from collector.protocols.sample import sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.model import Hit, Source
    from tests.conftest import Running

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
HMAC = {
    "header": "X-Acme",
    "encoding": "base64",
    "digest": "sha512",
    "signed": "{method} {url} {id} {timestamp} {body}",
    "timestamp": "{header.x-acme-time}",
    "id": "{header.x-acme-id}",
}
GARBAGE = [
    *(b"", b"=", b",", b"v1=", b"t=,v1=", b"t=99999999999999999999999,v1=00", b"v1,", b"v1,AAAA v1a,AAAA"),
    *(
        b"\xfc\x80\xff",
        "é".encode() * 2000,
        b"Bearer ",
        b"Bearer x",
        b"sha256=",
        b"-1",
        b"1e9",
        b"0x10",
        b"9" * 15,
    ),
    *("١٢٣".encode(), b"a" * 8000, b"!!!!", b"AAAA\tAAAA"),
]


class Street:
    """Sends requests byte by byte as told, which no well-behaved client would."""

    def __init__(self, running: Running) -> None:
        self.port = running.parts.ports.public
        self.url = f"http://127.0.0.1:{self.port}"

    async def send(self, hit: Hit) -> int:
        """Return the status that a delivery is answered with."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = [f"{hit.method} {hit.url.removeprefix(self.url)} HTTP/1.1".encode(), b"Connection: close"]
        headers = {"Host": f"127.0.0.1:{self.port}", "Content-Length": str(len(hit.body)), **hit.headers}
        for name, value in headers.items():
            head.append(name.encode() + b": " + value.encode(errors="surrogateescape"))
        writer.write(b"\r\n".join(head) + b"\r\n\r\n" + hit.body)
        status = int((await reader.readline()).split()[1])
        writer.close()
        return status


async def added(running: Running, preset: str, *secrets: str) -> Source:
    settings = {"preset": preset, "secrets": secrets, "signature": HMAC}
    return await running.add(bridge="webhook", settings=settings)


def signed(source: Source, street: Street, secret: str, age_ms: int = 0) -> tuple[Hit, str]:
    """Return a delivery as the provider would send it, and the secret that it is checked by."""
    url, now = f"{street.url}/h/{source.id}", time.time_ns() // 1_000_000 - age_ms
    plan = source.settings.plan
    if plan.name != "sendgrid":
        return sample(source, replace(plan, secrets=(secret,)), url, now), secret
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    unsigned = replace(plan, preset=replace(plan.preset, recipe=None))
    hit = sample(source, unsigned, url, now)
    stamp = str(now // 1000)
    signature = private.sign(stamp.encode() + hit.body, ec.ECDSA(SHA256()))
    prefix = "x-twilio-email-event-webhook-"
    headers = {f"{prefix}signature": base64.b64encode(signature).decode(), f"{prefix}timestamp": stamp}
    return replace(hit, headers={**hit.headers, **headers}), base64.b64encode(public).decode()


def flipped(text: str, at: int) -> str:
    """Return a text with one bit of one character changed."""
    return text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]


def forgeries(hit: Hit) -> Iterator[tuple[str, Hit]]:
    """Yield deliveries that look like the signed one and must not be taken."""
    recipe = hit.source.settings.plan.preset.recipe
    read = f"{recipe.signature}{recipe.timestamp}{recipe.id}".lower()
    signs = {name for name in hit.headers if name.lower() in read}
    if recipe.other and not signs:
        recipe, signs = recipe.other, {name for name in hit.headers if name in recipe.other.signature}
    if recipe.kind != "token" and recipe.signed != "{timestamp}{id}":
        yield from forged_bodies(hit)
    if "{url}" in recipe.signed:
        yield "another address", replace(hit, url=hit.url + "?a=1")
    if "query" in recipe.signature and not signs:
        yield "another word", replace(hit, url=flipped(hit.url, len(hit.url) - 1))
    if "body" in recipe.signature:
        yield "another signature", replace(hit, body=hit.body.replace(b'"signature":"', b'"signature":"0'))
        yield "another token", replace(hit, body=hit.body.replace(b'"token":"', b'"token":"0'))
    for name in signs:
        yield from forged_headers(hit, name)


def forged_bodies(hit: Hit) -> Iterator[tuple[str, Hit]]:
    for at in (0, len(hit.body) // 2, len(hit.body) - 1):
        body = bytearray(hit.body)
        body[at] ^= 1
        yield f"byte {at} of the body", replace(hit, body=bytes(body))
    yield "the body as UTF-16", replace(hit, body=hit.body.decode().encode("utf-16"))
    yield "the body and a line end", replace(hit, body=hit.body + b"\n")


def forged_headers(hit: Hit, name: str) -> Iterator[tuple[str, Hit]]:
    value = hit.headers[name]
    for at in (0, len(value) // 2, len(value) - 1 - value.count("=")):
        yield f"character {at} of {name}", _with(hit, name, flipped(value, at))
    yield f"no {name}", replace(hit, headers={key: held for key, held in hit.headers.items() if key != name})
    yield f"{name} in base64", _with(hit, name, base64.b64encode(value.encode()).decode())
    yield f"{name} in hex", _with(hit, name, value.encode().hex())
    for garbage in GARBAGE:
        yield f"{garbage[:20]!r} as {name}", _with(hit, name, garbage.decode(errors="surrogateescape"))


def _with(hit: Hit, name: str, value: str) -> Hit:
    return replace(hit, headers={**hit.headers, name: value})


CASES = [(name, SECRET) for name, preset in PRESETS.items() if preset.recipe or name == "hmac"]
CASES += [("gitlab", "s3cret")]  # its older way
OPTIONAL = ("json", "cloudevents")


@pytest.mark.parametrize(("preset", "secret"), CASES)
async def test_only_what_a_provider_signed_is_ever_stored(running: Running, preset: str, secret: str) -> None:
    street = Street(running)
    hit, known = signed(await added(running, preset, SECRET), street, secret)
    await running.parts.catalogue.change(hit.source.id, {"settings": {"secrets": [known]}})

    answers = {name: await street.send(forgery) for name, forgery in forgeries(hit)}
    assert answers
    assert {name: status for name, status in answers.items() if not 400 <= status < 500} == {}
    assert await running.events() == []

    # As it was signed it is taken, and a replay adds nothing.
    assert [await street.send(hit) for _ in range(2)] == [200, 200]
    assert len(await running.events()) == 1


@pytest.mark.parametrize(("preset", "secret"), CASES)
async def test_garbage_in_any_header_is_no_fault(running: Running, preset: str, secret: str) -> None:
    street = Street(running)
    hit, known = signed(await added(running, preset, SECRET), street, secret)
    await running.parts.catalogue.change(hit.source.id, {"settings": {"secrets": [known]}})

    for name in [*hit.headers, "Content-Type", "Content-Encoding", "Origin", "ce-id", "X-Forwarded-For"]:
        for garbage in GARBAGE:
            assert await street.send(_with(hit, name, garbage.decode(errors="surrogateescape"))) < 500


@pytest.mark.parametrize("preset", [name for name, _ in CASES])
@pytest.mark.parametrize("direction", [-1, 1])
async def test_an_old_or_early_time_is_refused_though_it_is_signed(
    running: Running, preset: str, direction: int
) -> None:
    street = Street(running)
    source = await added(running, preset, SECRET)
    recipe = source.settings.plan.preset.recipe
    away = (recipe.tolerance_seconds + 5) * 1000 * direction
    hit, known = signed(source, street, SECRET, away)
    await running.parts.catalogue.change(source.id, {"settings": {"secrets": [known]}})

    timed = bool(recipe.timestamp or recipe.timestamp_prefix)
    assert await street.send(hit) == (401 if timed else 200)
    assert len(await running.events()) == (not timed)


@pytest.mark.parametrize(("preset", "secret"), [case for case in CASES if case[0] not in OPTIONAL])
async def test_a_source_without_its_secret_takes_nothing(running: Running, preset: str, secret: str) -> None:
    street = Street(running)
    hit, _ = signed(await added(running, preset), street, secret)

    assert await street.send(hit) == 401
    assert await running.events() == []
