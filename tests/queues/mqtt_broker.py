"""A real Mosquitto that keeps sessions on disk and writes down what it hears."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector.bridges.queue.kinds import open_broker
from collector.bridges.queue.mqtt import _session
from collector.sources.queue import QueueSettings
from tests.faults.servers import free_port, opened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TOPIC = "orders"
_ID = "message_id"

_CONFIG = """\
listener {port} 127.0.0.1
user root
persistence true
persistence_location {folder}/
log_dest stderr
log_type all
max_queued_messages 0
"""
_ANSWER = re.compile(r"Received PUBACK from headwater\S+ \(Mid: (\d+)")
_OPEN = "allow_anonymous true\n"


class Mosquitto:
    """A topic, and the session of a source that reads it: without one MQTT keeps nothing for it."""

    def __init__(self, folder: Path, config: str = _OPEN) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._database = folder / "mosquitto.db"
        self.port = free_port()
        self._published = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.settings: dict[str, Any] = {"broker": "mqtt", "address": f"mqtt://127.0.0.1:{self.port}"}
        text = _CONFIG.format(port=self.port, folder=folder) + config
        (folder / "mosquitto.conf").write_text(text)

    async def publish(self, bodies: Sequence[bytes], headers: Mapping[str, str] | None = None) -> None:
        """Send messages at QoS 1 that carry ids, as their producers' should."""
        first = self._published + 1
        named = [{_ID: f"m{number}", **(headers or {})} for number, _ in enumerate(bodies, first)]
        await self._send(bodies, named)

    async def publish_without_ids(self, bodies: Sequence[bytes]) -> None:
        """Send messages at QoS 1 that only their reader can tell apart."""
        await self._send(bodies, [{} for _ in bodies])

    async def forget(self) -> None:
        """End the session of the source, as it ends when it was left for too long."""
        name = _session(QueueSettings(topic=TOPIC, **self.settings))
        async with aiomqtt.Client("127.0.0.1", self.port, identifier=name, clean_session=True):
            pass

    async def _send(self, bodies: Sequence[bytes], headers: Sequence[Mapping[str, str]]) -> None:
        async with aiomqtt.Client("127.0.0.1", self.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            for body, told in zip(bodies, headers, strict=True):
                about = Properties(PacketTypes.PUBLISH)
                about.UserProperty = list(told.items())
                await client.publish(TOPIC, body, qos=1, properties=about)
        self._published += len(bodies)

    async def waiting(self) -> int:
        """Count what was not acknowledged: the server tells of it in no other way.

        A number is given to one message; killed, the server has forgotten some answers and is told again.
        """
        log = (self._folder / "log").read_text(errors="replace")
        return self._published - len(set(_ANSWER.findall(log)))

    def kill(self) -> None:
        """End it as a crash does, just after it has written down what it knows, as it does now and then.

        One that has only just begun to listen dies of the signal, and knows nothing yet.
        """
        if self._process and self._process.poll() is None:
            self._database.unlink(missing_ok=True)
            self._process.send_signal(signal.SIGUSR1)
            while self._process.poll() is None and not self._database.exists():
                time.sleep(0.02)
            self._process.kill()
            self._process.wait()

    async def start(self) -> None:
        self.spawn()
        await opened(self.port)
        first = open_broker(QueueSettings(topic=TOPIC, **self.settings), "w0")
        await first.connect()
        await first.close()

    def spawn(self) -> None:
        """Start it as it is, without a session."""
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin") or "mosquitto"
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-c", str(self._folder / "mosquitto.conf")], stdout=log, stderr=log
            )
