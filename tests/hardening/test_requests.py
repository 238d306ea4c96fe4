"""Smuggling and framing: straight, behind nginx and behind HAProxy, one request is one request or none."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import orjson
import pytest

from collector.logs import configure_logs
from tests.browser.proxies import nginx_of, started
from tests.conftest import run_collector
from tests.faults.servers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from collector.settings import Settings
    from tests.hardening.conftest import Tried

BOTH_WAYS = True
VIEW = b'{"batch":[{"type":"page"}]}'
SMUGGLED = b"GET /p/web1.gif?event=Smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
PIXELS = ("Smuggled", "After", "Old")
_PATIENCE_SECONDS = 0.6  # a request that is not whole is waited for; the rest is closed at once
_SENDS = 7


def post(*fields: bytes, body: bytes = VIEW, target: bytes = b"/e/web1", host: bytes = b"Host: a") -> bytes:
    lines = [b"POST " + target + b" HTTP/1.1", host, b"Content-Type: text/plain", *fields]
    return b"\r\n".join(line for line in lines if line) + b"\r\n\r\n" + body


LENGTH = b"Content-Length: %d" % len(VIEW)
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"1b\r\n" + VIEW + b"\r\n0\r\n\r\n"

# Each hides a second request that would store the event "Smuggled", were its bytes read as a request.
ATTACKS = {
    "two lengths": post(LENGTH, b"Content-Length: 0", body=VIEW + SMUGGLED),
    "length list": post(b"Content-Length: 0, %d" % len(VIEW), body=VIEW + SMUGGLED),
    "length with a sign": post(b"Content-Length: +0", body=SMUGGLED),
    "negative length": post(b"Content-Length: -1", body=SMUGGLED),
    "length in hex": post(b"Content-Length: 0x0", body=SMUGGLED),
    "length with underscore": post(b"Content-Length: 0_0", body=SMUGGLED),
    "huge length": post(b"Content-Length: 99999999999999999999999", body=SMUGGLED),
    "CL.TE": post(b"Content-Length: %d" % (5 + len(SMUGGLED)), CHUNKED, body=b"0\r\n\r\n" + SMUGGLED),
    "TE.CL": post(b"Content-Length: 4", CHUNKED, body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)),
    "TE with a space": post(LENGTH, b"Transfer-Encoding : chunked", body=b"0\r\n\r\n" + SMUGGLED),
    "TE twice": post(CHUNKED, b"Transfer-Encoding: identity", body=b"0\r\n\r\n" + SMUGGLED),
    "TE unknown": post(LENGTH, b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED),
    "TE with a tab": post(LENGTH, b"Transfer-Encoding:\tchunked", body=b"0\r\n\r\n" + SMUGGLED),
    "TE folded": post(LENGTH, b"Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n" + SMUGGLED),
    "TE not last": post(b"Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n" + SMUGGLED),
    "bare LF in the head": post(LENGTH).replace(b"\r\n", b"\n", 1) + b"",
    "bare LF before a field": post(b"X: a\nTransfer-Encoding: chunked", LENGTH),
    "bare CR in a field": post(b"X: a\rTransfer-Encoding: chunked", LENGTH),
    "obs-fold": post(b"X: a\r\n\tb", LENGTH),
    "NUL in a field": post(b"X: a\x00b", LENGTH),
    "space in a name": post(b"X Y: a", LENGTH),
    "no name": post(b": a", LENGTH),
    "first field indented": post(LENGTH, host=b" Host: a"),
    "chunk extension": post(CHUNKED, body=CHUNKS.replace(b"1b\r\n", b"1b;a=b\r\n")),
    "chunk extension with LF": post(CHUNKED, body=b"0;\n\r\n\r\n" + SMUGGLED),
    "chunk size with spaces": post(CHUNKED, body=b" 1b \r\n" + CHUNKS[4:]),
    "chunk size overflow": post(CHUNKED, body=b"fffffffffffffffffffffff\r\n" + VIEW),
    "chunk size negative": post(CHUNKED, body=b"-1\r\n" + SMUGGLED),
    "chunk ended by LF": post(CHUNKED, body=CHUNKS.replace(b"\r\n", b"\n")),
    "chunk longer than told": post(CHUNKED, body=b"1\r\n" + VIEW + b"\r\n0\r\n\r\n"),
    "trailer": post(CHUNKED, body=CHUNKS[:-2] + b"Content-Length: 0\r\n\r\n"),
    "absolute-form": post(LENGTH, target=b"http://other.example/e/web1"),
    "absolute-form, other scheme": post(LENGTH, target=b"ftp://a/e/web1"),
    "two hosts": post(b"Host: b", LENGTH),
    "no host": post(LENGTH, host=b""),
    "host with a path": post(LENGTH, host=b"Host: a/b?c"),
    "authority-form": b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n" + SMUGGLED.replace(b"Smuggled", b"After"),
    "asterisk-form": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/0.9": b"GET /p/web1.gif?event=Old\r\n\r\n",
    "unknown version": post(LENGTH).replace(b"HTTP/1.1", b"HTTP/9.9"),
    "unknown method": post(LENGTH).replace(b"POST", b"FROB"),
    "GET with a body": post(LENGTH).replace(b"POST /e/web1", b"GET /healthz"),
    "upgrade": post(b"Connection: upgrade", b"Upgrade: h2c", LENGTH),
    "expect unknown": post(b"Expect: 200-maybe", LENGTH),
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40,
    "raw bytes in the target": post(LENGTH, target=b"/e/web1\xff\xfe"),
    "line break in the target": post(LENGTH, target=b"/e/web1%0d%0aX:y"),
    "long line": b"GET /p/web1.gif?event=" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "long field": post(b"X: " + b"x" * 20_000, LENGTH),
    "many fields": post(*[b"X-%d: a" % number for number in range(300)], LENGTH),
}


async def exchange(port: int, payload: bytes) -> bytes:
    """Return all that is answered to some bytes until the peer closes or has nothing more to say."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    with suppress(ConnectionError, TimeoutError):
        writer.write(payload)
        while data := await asyncio.wait_for(reader.read(65536), _PATIENCE_SECONDS):
            answer += data
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return answer


async def all_answers(port: int) -> dict[str, bytes]:
    """Return the answers to every attack, a few at a time."""
    answers: dict[str, bytes] = {}
    names = iter(ATTACKS)

    async def send() -> None:
        for name in names:
            answers[name] = await exchange(port, ATTACKS[name])

    await asyncio.gather(*[send() for _ in range(_SENDS)])
    return answers


async def wronged(port: int) -> tuple[dict[str, tuple[bytes, bytes]], int]:
    """Return the attacks after which another got no answer of its own, or that met a fault; and all GIFs."""
    wrong: dict[str, tuple[bytes, bytes]] = {}
    pictures = 0
    attacks = iter(ATTACKS.items())

    async def send() -> None:
        nonlocal pictures
        for name, payload in attacks:
            attack = await exchange(port, payload)
            pictures += attack.count(b"GIF89a")
            victim = await exchange(port, b"GET /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            if statuses(victim) != [200] or b'"headwater"' not in victim or 500 in statuses(attack):
                wrong[name] = (attack[:200], victim[:200])

    await asyncio.gather(*[send() for _ in range(_SENDS)])
    return wrong, pictures


def statuses(answer: bytes) -> list[int]:
    return [int(part[2:5]) for part in answer.split(b"HTTP/1.")[1:] if part[2:5].isdigit()]


async def test_no_attack_on_the_framing_makes_a_request_or_a_fault(
    settings: Settings, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tried: Tried
) -> None:
    tried("smuggling and framing, straight", len(ATTACKS))
    configure_logs("info")
    async with run_collector(settings) as running:
        await running.add(id="web1")
        answers = await all_answers(running.parts.ports.public)
        stored = {event.get("event") for event in await running.events()}
        well = await exchange(running.parts.ports.public, post(LENGTH))

    assert "Smuggled" not in stored
    assert {name for name, answer in answers.items() if any(s >= 500 for s in statuses(answer))} == set()
    assert {name for name, answer in answers.items() if b"aiohttp" in answer.lower()} == set()
    assert {name for name, answer in answers.items() if b"Python" in answer} == set()
    assert statuses(well) == [204]
    assert capfd.readouterr().err == ""  # strangers do not write the log
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("name", ["long line", "long field", "two lengths", "NUL in a field"])
async def test_what_is_no_http_is_answered_in_the_shape_of_every_refusal(
    settings: Settings, name: str
) -> None:
    async with run_collector(settings) as running:
        head, _, body = (await exchange(running.parts.ports.public, ATTACKS[name])).partition(b"\r\n\r\n")

    assert statuses(head) == [400]
    assert b"\r\nServer: headwater\r\n" in head + b"\r\n"
    assert b"X-Headwater-Reason: bad_request" in head
    assert orjson.loads(body)["code"] == "bad_request"


@pytest.mark.parametrize("proxy", ["nginx", "haproxy"])
async def test_behind_a_proxy_no_attack_changes_whose_answer_is_whose(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture, proxy: str, tried: Tried
) -> None:
    """A request over the proxy's kept connections gets its own answer, and whoever sent a pixel gets its GIF.

    What a proxy takes for two requests is two requests; what it takes for one must not be two for us.
    """
    tried(f"smuggling and framing, behind {proxy}", len(ATTACKS))
    async with run_collector(settings) as running:
        await running.add(id="web1")
        async with PROXIES[proxy](tmp_path, running.parts.ports.public) as port:
            wrong, answered = await wronged(port)
        pixels = [event for event in await running.events() if event.get("event") in PIXELS]

    assert wrong == {}
    assert len(pixels) == answered
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@asynccontextmanager
async def nginx(folder: Path, collector: int) -> AsyncIterator[int]:
    """Yield the port of an nginx that keeps its connections to the collector."""
    port = free_port()
    http = f"""
        upstream up {{ server 127.0.0.1:{collector}; keepalive 1; }}
        server {{ listen 127.0.0.1:{port};
          location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_request_buffering off; }} }}
    """
    async with nginx_of(http, folder, port):
        yield port


@asynccontextmanager
async def haproxy(folder: Path, collector: int) -> AsyncIterator[int]:
    """Yield the port of an HAProxy that shares its connections to the collector among clients."""
    port = free_port()
    (folder / "haproxy.cfg").write_text(f"""
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen street
  bind 127.0.0.1:{port}
  server up 127.0.0.1:{collector}
""")
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    async with started((program, "-db", "-q", "-f", str(folder / "haproxy.cfg")), folder, port):
        yield port


PROXIES = {"nginx": nginx, "haproxy": haproxy}
