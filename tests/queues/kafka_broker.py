"""A real Kafka that is broker and controller in one, from Maven Central (requirements/kafka.xml)."""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from tests.faults.servers import free_port
from tests.store.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

TOPIC = "orders"
PASSWORD = "rightsecret"  # noqa: S105 - of a test

_JARS = Path(sys.prefix, "kafka", "*")
_JAVA = ("java", "-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
_NUMBERS = itertools.count()
_CONFIG = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},SASL_SSL://127.0.0.1:{tls}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
group.min.session.timeout.ms=1000
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=2097152
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_jo="{password}";
listener.name.sasl_ssl.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server-all.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
"""
# What formatting its folder would write.
_META = """\
version=1
cluster.id=AAAAAAAAAAAAAAAAAAAAAA
node.id=1
directory.id=BBBBBBBBBBBBBBBBBBBBBA
"""


class Kafka:
    """A topic of a Kafka that speaks plainly on ``port``, and with login and certificates on ``tls_port``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port, self.tls_port = free_port(), free_port()
        self.url = f"127.0.0.1:{self.port}"
        self.authority = Authority(folder)
        self._process: subprocess.Popen[bytes] | None = None
        self.settings: dict[str, Any] = {"broker": "kafka", "address": f"kafka://{self.url}", "group": "g"}
        self._configure()

    async def publish(self, bodies: Sequence[bytes], headers: Mapping[str, str] | None = None) -> None:
        await self.produce([(None, body) for body in bodies], headers)

    async def produce(
        self,
        pairs: Sequence[tuple[bytes | None, bytes]],
        headers: Mapping[str, str] | None = None,
        packed: str | None = None,
    ) -> None:
        """Send keys and values, packed by Kafka's own compression if asked."""
        told = [(name, value.encode()) for name, value in (headers or {}).items()]
        async with AIOKafkaProducer(bootstrap_servers=self.url, compression_type=packed) as producer:
            sent = [await producer.send(TOPIC, value, key=key, headers=told) for key, value in pairs]
            await asyncio.gather(*sent)

    async def waiting(self) -> int:
        async with self._admin() as admin, AIOKafkaConsumer(bootstrap_servers=self.url) as looking:
            try:
                committed = await admin.list_consumer_group_offsets(self.settings["group"])
            except GroupCoordinatorNotAvailableError:  # no group was ever made
                committed = {}
            parts = [TopicPartition(TOPIC, number) for number in await self.partitions(TOPIC)]
            ends = await looking.end_offsets(parts)
        done = {part: max(row.offset, 0) for part, row in committed.items()}
        return sum(end - done.get(part, 0) for part, end in ends.items())

    async def members(self) -> int:
        """Return how many share the partitions, 0 while they are being shared out."""
        async with self._admin() as admin:
            (about,) = await admin.describe_consumer_groups([self.settings["group"]])
        ((_, _, state, _, _, members, *_),) = about.groups
        return len(members) if state == "Stable" else 0

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Stop it in the middle of whatever it does."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    async def start(self) -> None:
        if self._process is None or self._process.poll() is not None:
            self._process = self._run()
        self._process.send_signal(signal.SIGCONT)
        while True:
            try:
                async with self._admin() as admin:
                    await _make(admin, TOPIC, 1)
            except KafkaError:
                assert self._process
                assert self._process.poll() is None
                await asyncio.sleep(0.1)
            else:
                return

    async def empty(self, partitions: int = 1) -> None:
        """Make the topic anew, and read it in a group of its own: others may linger in the last one."""
        self.settings["group"] = f"g{next(_NUMBERS)}"
        await self.make_anew(TOPIC, partitions)

    async def make_anew(self, topic: str, partitions: int, settings: Mapping[str, str] | None = None) -> None:
        """Make a topic, and forget what it held."""
        async with self._admin() as admin:
            while topic in await admin.list_topics():
                await admin.delete_topics([topic])
            await _make(admin, topic, partitions, settings)

    async def partitions(self, topic: str) -> list[int]:
        """Return the partitions of a topic."""
        async with self._admin() as admin:
            (about,) = await admin.describe_topics([topic])
        return [each["partition"] for each in about["partitions"]]

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.url)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()

    def _configure(self) -> None:
        certificate, key = self.authority.issue("server")
        (self._folder / "server-all.pem").write_bytes(key.read_bytes() + certificate.read_bytes())
        (self._folder / "data").mkdir()
        (self._folder / "data" / "meta.properties").write_text(_META)
        ports = {"port": self.port, "tls": self.tls_port, "controller": free_port()}
        config = _CONFIG.format(folder=self._folder, password=PASSWORD, **ports)
        (self._folder / "server.properties").write_text(config)

    def _run(self) -> subprocess.Popen[bytes]:
        command = [*_JAVA, "-cp", str(_JARS), "kafka.Kafka", str(self._folder / "server.properties")]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def _make(
    admin: AIOKafkaAdminClient, topic: str, partitions: int, settings: Mapping[str, str] | None = None
) -> None:
    """Make a topic that is not there; just after its start a broker may not take it yet."""
    while topic not in await admin.list_topics():
        await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=dict(settings or {}))])
        await asyncio.sleep(0.05)
