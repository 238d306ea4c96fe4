"""One real server per session, a key prefix per test, and the collector's two applications on demand."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import orjson
import pytest
import structlog
from aiohttp import ClientSession
from redis.asyncio import Redis

from collector.access import Role
from collector.access.desk import form_token
from collector.app import Collector, collector
from collector.doors import open_doors
from collector.model import Hit, Source
from collector.settings import Settings
from collector.sources import WebSettings, check_form
from collector.store import Names
from collector.store.embedded import embedded_server
from tests.faults.servers import documented_user

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from aiohttp import ClientResponse

    from tests.queues.kafka_broker import Kafka

_NUMBERS = itertools.count()

# Files that take a minute or so, the longest first: one that began last would keep one process at work alone.
_LONG = (
    "browser/test_routers.py",
    "queues/test_queues.py",
    "faults/test_kafka_stream.py",
    "browser/test_delivery.py",
    "clients/test_dialects.py",
    "faults/test_faults.py",
    "browser/test_console.py",
    "sinks/test_brokers.py",
    "hardening/test_parsers.py",
    "faults/test_failover.py",
    "test_commands.py",
    "clients/test_servers.py",
    "clients/test_side_by_side.py",
    "clients/test_browsers.py",
    "hardening/test_public_schema.py",
    "browser/test_privacy.py",
)

hypothesis.settings.register_profile("untimed", deadline=None)  # machines are shared and noisy
hypothesis.settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Let no test see how another one has logged."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey or Redis server of this test session, found or shipped as the product finds it."""
    data = tmp_path_factory.mktemp("server")
    with asyncio.Runner() as runner:
        server = embedded_server(data)
        url = runner.run(server.__aenter__())
        runner.run(add_documented_user(url))
        yield url
        runner.run(server.__aexit__(None, None, None))


async def add_documented_user(url: str) -> None:
    """Add the user of docs/security.md, for the keys of all tests: collectors under test are no more."""
    async with Redis.from_url(url, protocol=2) as client:
        await client.execute_command("ACL", "SETUSER", "collector", "reset", *documented_user())


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """One Kafka for all tests: it takes seconds to start. Who needs it starts it."""
    from tests.queues.kafka_broker import Kafka  # noqa: PLC0415 - of the few that need it

    made = Kafka(tmp_path_factory.mktemp("kafka"))
    yield made
    made.kill()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files; the order of all others stays."""
    turns = {Path(__file__).parent / name: turn for turn, name in enumerate(_LONG)}
    items.sort(key=lambda item: turns.get(item.path, len(turns)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module that says BOTH_WAYS through the lean way in and through aiohttp."""
    if "lean_paths" in metafunc.fixturenames and hasattr(metafunc.module, "BOTH_WAYS"):
        metafunc.parametrize("lean_paths", [True, False], ids=["lean", "aiohttp"])


@pytest.fixture
def lean_paths() -> bool:
    """Whether the hot paths are served by the lean way in."""
    return True


@pytest.fixture
def settings(redis_url: str, tmp_path: Path, lean_paths: bool) -> Settings:
    """Settings with a namespace of this test's own, and the documented Redis user."""
    return Settings(
        redis_url=redis_url.replace("unix://", "unix://collector:PASSWORD@"),
        namespace=f"test{next(_NUMBERS)}",
        data=tmp_path,
        port=0,
        console_port=0,
        lean_paths=lean_paths,
        overload_ms=0,  # machines are shared and noisy, and clients of tests are bots
    )


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the session's server that may do anything."""
    async with Redis.from_url(redis_url, protocol=2) as client:
        yield client


@pytest.fixture
async def limited_redis(settings: Settings) -> AsyncIterator[Redis]:
    """A client as a collector has it: of the documented user."""
    async with Redis.from_url(settings.redis_url, protocol=2) as client:
        yield client


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[Running]:
    """A running collector with an open public door."""
    async with run_collector(settings) as opened:
        yield opened


class Running:
    """A collector under test: its doors as clients, its sources, and what is in its stream."""

    def __init__(self, parts: Collector, public: ClientSession, console: ClientSession) -> None:
        self.parts = parts
        self.public = public
        self.console = console
        self.settings = parts.settings
        self.names = Names(parts.settings.namespace)
        self.form_token = ""

    async def add(self, **fields: Any) -> Source:
        """Add a source, a web source with any origin unless told otherwise."""
        return await self.parts.catalogue.add(check_form({"name": "Test", **fields}))

    async def sign_in(self, role: Role = Role.ADMIN, name: str = "ada") -> None:
        """Sign the console's client in as an account without a password that works."""
        fields = orjson.dumps({"role": role.value, "password": "", "created": "2026-01-02T03:04:05Z"})
        async with Redis.from_url(self.settings.redis_url, protocol=2) as client:
            await client.hset(self.names.accounts, name, fields)
        secret = await self.parts.access.sessions.begin(name)
        self.console.headers["Cookie"] = f"headwater={secret}"
        self.form_token = form_token(secret)

    async def submit(self, path: str, fields: dict[str, Any] | None = None, **headers: str) -> ClientResponse:
        """Post a form of the console as a browser does, and do not follow the redirect."""
        origin = f"http://127.0.0.1:{self.parts.ports.console}"
        data = {"form_token": self.form_token, **(fields or {})}
        sent = {"Origin": origin, "Sec-Fetch-Site": "same-origin", "Accept": "text/html", **headers}
        return await self.console.post(path, data=data, headers=sent, allow_redirects=False)

    async def post(self, name: str, body: Any, **headers: str) -> Any:
        """Send a beacon; a body that is not bytes is written as JSON."""
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        headers = {"Content-Type": "text/plain", **{key.replace("_", "-"): v for key, v in headers.items()}}
        return await self.public.post(
            f"/e/{name}", data=data, headers=headers, skip_auto_headers=["User-Agent"]
        )

    async def events(self, stream: str = "events") -> list[dict[str, Any]]:
        """Return every event in the stream, in order."""
        async with Redis.from_url(self.settings.redis_url, protocol=2) as client:
            rows: Any = [
                row
                for partition in range(self.settings.partitions)
                for row in await client.xrange(self.names.stream(partition, stream))
            ]
        return [orjson.loads(fields[b"event"]) for _, fields in rows]


@asynccontextmanager
async def run_collector(settings: Settings) -> AsyncIterator[Running]:
    """Run a collector with both doors on free ports."""
    async with collector(settings) as parts, open_doors(parts) as ports:
        public, console = f"http://127.0.0.1:{ports.public}", f"http://127.0.0.1:{ports.console}"
        async with (
            ClientSession(public, auto_decompress=False) as browser,
            ClientSession(console) as operator,
        ):
            yield Running(parts, browser, operator)


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    """Return the condition's first true value. The limit only ends a test that has failed."""
    end = time.monotonic() + seconds
    while not (value := await condition()):
        assert time.monotonic() < end, "it did not come true"
        await asyncio.sleep(0.02)
    return value


async def holds(path: Path, text: str) -> bool:
    """Tell whether a file is there and has the text in it."""
    return path.exists() and text in path.read_text()


def web_source(**fields: Any) -> Source:
    """Return a plain web source for tests of pure functions."""
    return Source(**{"id": "web1", "name": "Test", "bridge": "web", "settings": WebSettings(), **fields})


def hit(body: Any = b"", **fields: Any) -> Hit:
    """Return a hit of a plain web source at a fixed time (2026-01-02T03:04:05Z)."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return Hit(**{"source": web_source(), "received_at": 1767323045000, "body": data, **fields})
