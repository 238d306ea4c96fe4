"""Passwords and TLS of each broker, and that what is said of them holds no secret."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from collector.bridges.queue.broker import BrokerError
from collector.bridges.queue.kinds import open_broker
from collector.sources.queue import SCHEMES, BrokerKind, QueueSettings
from tests.faults.proxy import Proxy
from tests.faults.servers import Server, free_port, opened
from tests.hardening.test_secrets_nowhere import require_nowhere
from tests.queues.brokers import Nats
from tests.queues.mqtt_broker import Mosquitto
from tests.store.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from collector.settings import Settings
    from tests.queues.brokers import RabbitMQ
    from tests.queues.kafka_broker import Kafka

Way = dict[str, Any]
_RIGHT, _WRONG = "rightsecret", "wrongsecret"


@pytest.fixture(params=["redis", "nats", "rabbitmq", "kafka", "mqtt"])
async def way(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Way]:
    """The settings that lead to a broker over TLS, with a client certificate and a password."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("client")
    files = {"ca": str(authority.file), "certificate": str(certificate), "key": str(key)}
    common = {"broker": request.param, "topic": "orders", "password": _RIGHT, **files}
    if request.param == "nats":
        server, secret = authority.issue("server")
        tls = ("--tlsverify", "--tlscert", str(server), "--tlskey", str(secret), "--tlscacert", files["ca"])
        nats = Nats(tmp_path / "nats", "--user", "jo", "--pass", _RIGHT, *tls)
        await nats.spawn()
        yield {**common, "address": f"tls://127.0.0.1:{nats.port}", "user": "jo"}
        nats.kill()
        return
    if request.param == "mqtt":
        server, secret = authority.issue("server")
        (tmp_path / "passwords").write_text(f"jo:{_RIGHT}\n")
        hashing = ("mosquitto_passwd", "-U", str(tmp_path / "passwords"))
        assert await (await asyncio.create_subprocess_exec(*hashing)).wait() == 0
        tls = f"certfile {server}\nkeyfile {secret}\ncafile {authority.file}\nrequire_certificate true\n"
        mosquitto = Mosquitto(tmp_path / "mqtt", f"{tls}password_file {tmp_path / 'passwords'}\n")
        mosquitto.spawn()
        await opened(mosquitto.port)
        yield {**common, "address": f"mqtts://127.0.0.1:{mosquitto.port}", "user": "jo"}
        mosquitto.kill()
        return
    if request.param == "redis":
        valkey = Server(tmp_path / "valkey", "--requirepass", _RIGHT).start(ready=False)
        await opened(valkey.port)
        async with Proxy(valkey.port, tls=authority.server_context()) as proxy:
            yield {**common, "address": f"rediss://127.0.0.1:{proxy.port}"}
        valkey.close()
        return
    if request.param == "kafka":
        kafka: Kafka = request.getfixturevalue("kafka")
        await kafka.start()
        await kafka.empty()
        certificate, key = kafka.authority.issue("client")
        files = {"ca": str(kafka.authority.file), "certificate": str(certificate), "key": str(key)}
        yield {**common, **files, "address": f"kafka+ssl://127.0.0.1:{kafka.tls_port}", "user": "jo"}
        return
    rabbit: RabbitMQ = request.getfixturevalue("rabbit")
    await rabbit.start()
    await rabbit.empty()
    async with Proxy(rabbit.port, tls=authority.server_context()) as proxy:
        yield {**common, "address": f"amqps://127.0.0.1:{proxy.port}", "user": "guest", "password": "guest"}


async def said(way: Way) -> str:
    """Return what is said when a broker cannot be read, nothing when it can."""
    broker = open_broker(QueueSettings.model_validate(way), "w1")
    try:
        await broker.connect()
        assert await broker.fetch() == []
    except BrokerError as error:
        return str(error)
    finally:
        await broker.close()
    return ""


async def test_a_broker_is_read_over_tls_with_a_password(way: Way) -> None:
    # A NATS that lets us in says that it has no such stream: none was made.
    assert await said(way) in {"", "No stream of JetStream holds orders."}


async def test_a_wrong_password_is_said_and_not_shown(way: Way) -> None:
    told = await said({**way, "password": _WRONG})

    assert any(word in told.lower() for word in ("password", "refused", "authoriz"))
    assert _WRONG not in told


@pytest.mark.parametrize("way", ["rabbitmq", "kafka"], indirect=True)
async def test_a_password_that_is_refused_is_shown_nowhere(
    way: Way, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of the others a broker of their own is asked in tests/hardening/test_secrets_nowhere.py."""
    await require_nowhere(settings, {"queue1": way}, capfd)


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_of_an_unknown_authority_is_refused(way: Way) -> None:
    told = await said({**way, "ca": ""})

    assert "certificate verify failed" in told.lower()
    assert _RIGHT not in told


async def test_a_certificate_file_that_is_not_there_is_said(way: Way) -> None:
    assert "cannot be used" in await said({**way, "certificate": "/nowhere.pem"})


@pytest.mark.parametrize("kind", ["redis", "nats", "rabbitmq", "kafka", "mqtt"])
async def test_a_broker_that_is_not_there_is_said_without_the_password(kind: BrokerKind) -> None:
    address = f"{SCHEMES[kind][0][0]}://127.0.0.1:{free_port()}"
    told = await said({"broker": kind, "address": address, "user": "jo", "password": _RIGHT})

    assert told
    assert _RIGHT not in told
