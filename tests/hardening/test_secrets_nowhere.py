"""Secrets are told to nobody: not by logs, answers, addresses, refusals, kept hits or commands."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from redis.asyncio import Redis

from collector import answer as answers
from collector.access import Role
from collector.logs import configure_logs
from collector.sources.keys import add_key
from collector.sources.queue import SCHEMES
from collector.store.queues import queue_states
from collector.tasks import running as in_background
from tests.conftest import run_collector, until
from tests.faults.servers import Server, free_port, opened
from tests.queues.brokers import Nats
from tests.queues.mqtt_broker import Mosquitto

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from collector.settings import Settings
    from tests.conftest import Running

MARK = "mArKeD"
WRITE_KEY = f"wk-{MARK}-1"
UNKNOWN_KEY = f"wk-{MARK}-2"
HOOK_SECRET = f"hook-{MARK}-3"
TOKEN_AUTH = f"{MARK}0123456789abcdef"
PASSWORD = f"password {MARK} 5"
BROKER = f"broker-{MARK}-6"
COOKIE = f"session-{MARK}-7"
CLIENT = "203.0.113.77"

BASIC = base64.b64encode(f"{WRITE_KEY}:".encode()).decode()
EVENT = {"type": "track", "event": "E", "userId": "u1"}
# Each is sent as it is, and once more with nothing in it that can be read: both ways of the answer.
STREET: list[tuple[str, dict[str, str], Any]] = [
    ("/v1/track", {"Authorization": f"Bearer {WRITE_KEY}"}, EVENT),
    ("/v1/track", {"Authorization": f"Basic {BASIC}"}, EVENT),
    ("/v1/track", {"X-Write-Key": WRITE_KEY}, {**EVENT, "type": "nonsense"}),
    (f"/v1/batch?writeKey={WRITE_KEY}", {}, {"batch": [EVENT, "no event"]}),
    ("/v1/batch", {}, {"batch": [{**EVENT, "writeKey": WRITE_KEY}, 5]}),
    ("/v1/import", {"Authorization": f"Bearer {WRITE_KEY}"}, EVENT),
    ("/v1/track", {"Authorization": f"Bearer {UNKNOWN_KEY}"}, EVENT),
    (f"/collect/view/{WRITE_KEY}", {}, {"a": 1}),
    (f"/collect/view/{UNKNOWN_KEY}", {}, {"a": 1}),
    ("/track", {}, {"source": {"id": WRITE_KEY}, "session": {"id": "s"}, "events": [{"type": "v"}, 7]}),
    ("/track", {}, {"source": {"id": UNKNOWN_KEY}, "events": []}),
    (f"/matomo.php?idsite=1&rec=1&token_auth={TOKEN_AUTH}", {}, {}),
    ("/matomo.php", {}, {"requests": ["?idsite=1&rec=1", "?idsite=1&rec=0"], "token_auth": TOKEN_AUTH}),
    (f"/mp/collect?measurement_id=G-1&api_secret={UNKNOWN_KEY}", {}, {"client_id": "a", "events": [{}]}),
    ("/capture", {}, {"api_key": WRITE_KEY, "event": "E", "distinct_id": "d"}),
    (f"/h/hook1?secret={HOOK_SECRET}", {}, {"a": 1}),
    ("/h/hook1", {"Authorization": f"Bearer {HOOK_SECRET}"}, {"a": 1}),
    ("/h/hook1", {"Authorization": f"Bearer {UNKNOWN_KEY}"}, {"a": 1}),
    ("/h/hook1", {"X-Webhook-Token": UNKNOWN_KEY}, {"a": 1}),
    (f"/l/{UNKNOWN_KEY}", {}, {}),
    (f"/u/{UNKNOWN_KEY}", {}, {}),
    ("/e/web1", {}, {"batch": [EVENT, {"type": "nonsense"}]}),
]


async def sources(running: Running) -> None:
    """Add a source of every bridge, with secrets that are marked, keeping all that comes."""
    kept = {"keep": "all", "sites": ["matomo:1", "ga4:G-1"]}
    await running.add(id="web1")
    await running.add(id="rest1", bridge="rest", settings=kept)
    await running.add(id="hook1", bridge="webhook", settings={"secrets": [HOOK_SECRET], "keep": "all"})
    address = f"redis://127.0.0.1:{free_port()}"
    login = {"broker": "redis", "address": address, "user": "ada", "password": BROKER}
    await running.add(id="queue1", bridge="queue", settings=login)
    await add_key(running.parts.catalogue, "rest1", key=WRITE_KEY)


async def street(running: Running) -> str:
    """Send all of it, twice, and return all that was answered."""
    told = ""
    common = {"Cookie": f"headwater={COOKIE}", "X-Forwarded-For": CLIENT, "User-Agent": "Mozilla/5.0"}
    for path, headers, body in STREET:
        for data in (orjson.dumps(body), b"{" + orjson.dumps(body)):
            async with running.public.post(path, data=data, headers={**common, **headers}) as answer:
                told += f"{answer.status} {dict(answer.headers)} {await answer.read()!r}\n"
    return told


async def console(running: Running) -> str:
    """Look at every page and answer of the console that may know a secret, signed in and not."""
    told = ""
    tabs = ("overview", "live", "install", "test", "deliveries", "keys", "settings", "privacy", "history")
    pages = [
        "/",
        "/sources",
        "/health",
        "/accounts",
        "/account",
        "/metrics",
        "/api/v1/sources",
        "/api/v1/refusals",
    ]
    for source in ("web1", "rest1", "hook1", "queue1"):
        pages += [f"/sources/{source}/{tab}" for tab in tabs]
        pages += [f"/api/v1/sources/{source}", f"/api/v1/sources/{source}/history"]
    for page in pages:
        async with running.console.get(page) as answer:
            told += f"{page} {answer.status} {await answer.text()}\n"
            assert answer.status in {200, 404}, page
    sign_in = {"name": "ada", "password": PASSWORD}
    async with await running.submit("/sign-in", sign_in) as answer:
        told += f"{answer.status} {await answer.text()}\n"
        assert answer.status in {401, 403, 422}
    headers = {"Authorization": f"Bearer {UNKNOWN_KEY}", "Cookie": ""}
    async with running.console.get("/api/v1/sources", headers=headers) as answer:
        told += f"{answer.status} {await answer.text()}\n"
    return told


async def in_redis(running: Running) -> dict[str, bytes]:
    """Return all that Redis holds for the collector, but the settings of sources, whose secrets are there."""
    names = running.names
    held = {}
    async with Redis.from_url(running.settings.redis_url, protocol=2) as client:
        async for key in client.scan_iter(match=f"{names.namespace}:*", count=1000):
            name = key.decode()
            if name not in {names.sources, names.history}:
                held[name] = await _all(client, name)
    return held


async def _all(client: Redis, key: str) -> bytes:
    kind = (await client.type(key)).decode()
    asked = {
        "string": ("GET", key),
        "hash": ("HGETALL", key),
        "list": ("LRANGE", key, 0, -1),
        "set": ("SMEMBERS", key),
        "zset": ("ZRANGE", key, 0, -1),
        "stream": ("XRANGE", key, "-", "+"),
    }
    return repr(await client.execute_command(*asked[kind])).encode()


def unpacked(held: bytes) -> bytes:
    """Return what is held with every base64 in it opened too: bodies of kept hits are written so."""
    parts = [part for part in held.replace(b"\\", b'"').split(b'"') if len(part) > 7]
    return held + b"".join(_opened(part) for part in parts)


def _opened(part: bytes) -> bytes:
    try:
        return base64.b64decode(part, validate=True)
    except ValueError:
        return b""


async def test_what_the_street_and_the_console_are_told_holds_no_secret(
    settings: Settings, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_logs("debug")
    proxied = settings.model_copy(update={"trusted_proxies": ("127.0.0.0/8",)})
    async with run_collector(proxied) as running:
        await sources(running)
        told = await street(running)
        await running.sign_in(Role.ADMIN)
        told += await console(running)

        async def remembered() -> bool:
            return len(await running.parts.deliveries.last("hook1")) >= 8

        await until(remembered)
        await running.parts.pipeline.refused.flush()
        held = await in_redis(running)
        monkeypatch.setattr(answers, "preflight_answer", None)  # a fault, whose line has the path
        monkeypatch.setattr("collector.bridges.rest.read_payload", _fail)
        monkeypatch.setattr("collector.bridges.tracardi.read_payload", _fail)
        told += await street(running)
    logs = "".join(capfd.readouterr())

    assert "500 " in told
    assert '"event": "fault"' in logs
    assert MARK not in told
    assert MARK not in logs
    assert CLIENT not in logs
    assert {key for key, value in held.items() if MARK.encode() in unpacked(value)} == set()
    assert {key for key, value in held.items() if CLIENT.encode() in unpacked(value)} == set()
    assert any(b"hook1" in key.encode() for key in held)


@asynccontextmanager
async def brokers(folder: Path) -> AsyncIterator[dict[str, Any]]:
    """Yield the settings of queue sources: of each kind one whose broker is away, and three not let in."""
    valkey = Server(folder / "valkey", "--requirepass", "another").start(ready=False)
    nats = Nats(folder / "nats", "--user", "ada", "--pass", "another")
    mosquitto = Mosquitto(folder / "mqtt", "allow_anonymous false\n")
    mosquitto.spawn()
    try:
        await nats.spawn()
        for port in (valkey.port, mosquitto.port):
            await opened(port)
        kinds = [*SCHEMES, "redis", "nats", "mqtt"]
        ports = [*(free_port() for _ in SCHEMES), valkey.port, nats.port, mosquitto.port]
        yield {
            f"queue{number}": {"broker": kind, "address": f"{SCHEMES[kind][0][0]}://127.0.0.1:{port}"}
            for number, (kind, port) in enumerate(zip(kinds, ports, strict=True))
        }
    finally:
        valkey.close()
        nats.kill()
        mosquitto.kill()


async def test_a_broker_that_lets_nobody_in_has_its_password_shown_nowhere(
    settings: Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with brokers(tmp_path) as asked:
        await require_nowhere(settings, asked, capfd)


async def require_nowhere(
    settings: Settings, asked: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """Read queues with a password that does not let in, and look for it wherever somebody may look."""
    configure_logs("debug")
    told = ""
    async with run_collector(settings) as running:
        for name, how in asked.items():
            login = {"topic": "orders", "user": "ada", **how, "password": BROKER}
            await running.add(id=name, bridge="queue", settings=login)
        await running.sign_in(Role.ADMIN)
        queues = running.parts.queues
        async with in_background(queues.run()):
            await until(lambda: _all_say(running, "away", asked))
            said = await queue_states(queues.states._redis, running.names)
            for name in asked:
                for page in (f"/sources/{name}", f"/sources/{name}/settings", f"/api/v1/sources/{name}"):
                    async with running.console.get(page) as answer:
                        told += await answer.text()
                        assert answer.status == 200, page
            async with running.console.get("/health") as answer:
                told += await answer.text()
            held = await in_redis(running)
    logs = "".join(capfd.readouterr())

    assert {row["source"] for row in said} == set(asked)
    assert MARK not in orjson.dumps(said).decode()
    assert logs.count('"state": "away"') >= len(asked)
    assert MARK not in logs
    assert MARK not in told
    assert {key for key, value in held.items() if MARK.encode() in unpacked(value)} == set()


async def _all_say(running: Running, state: str, names: Iterable[str]) -> bool:
    rows = await queue_states(running.parts.queues.states._redis, running.names)
    return {row["source"] for row in rows if row["state"] == state} >= set(names)


def _fail(*_: Any) -> Any:
    raise ZeroDivisionError


AWAY, NO_PORT, NO_REDIS = "redis://ada:{}@127.0.0.1:{}/0", "redis://ada:{}@nowhere:x{}", "http://ada:{}@a:{}"


@pytest.mark.parametrize(
    ("command", "where"),
    [("doctor", AWAY), ("source list", AWAY), ("serve", NO_PORT), ("tail", NO_REDIS), ("doctor", NO_REDIS)],
)
def test_no_command_tells_the_password_of_redis(tmp_path: Path, command: str, where: str) -> None:
    """Whether Redis is away or its address is none."""
    url = where.format(BROKER, free_port())
    environment = {"PATH": os.environ["PATH"], "HEADWATER_DATA": str(tmp_path), "HEADWATER_REDIS_URL": url}
    ran = subprocess.run(
        [sys.executable, "-m", "collector", *command.split()],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ran.returncode != 0
    assert MARK not in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
