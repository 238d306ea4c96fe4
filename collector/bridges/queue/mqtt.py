"""Topics of MQTT: a session that the broker keeps, and each message acknowledged only once it is safe.

All is subscribed to at QoS 1: at QoS 2 the library answers for a message before its reader has seen it, so a
process that dies would lose it. What is delivered twice is told by its id.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiomqtt
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from collector.bridges.queue.broker import (
    CONNECT_SECONDS,
    FETCH_SECONDS,
    BrokerError,
    Message,
    short,
    tls_context,
)
from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from paho.mqtt.client import MQTTMessage

    from collector.sources.queue import QueueSettings

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_VERSIONS = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}
_RETAINED = {"oldest": SubscribeOptions.RETAIN_SEND_IF_NEW_SUB, "newest": SubscribeOptions.RETAIN_DO_NOT_SEND}
_KEPT_SECONDS = 7 * 24 * 3600  # that the broker keeps a session which nobody takes up
_KEEPALIVE_SECONDS = 10
_REFUSED = 0x80  # from here on the code of an answer is a failure
_ID = "message_id"
_MOST_WAITING = 10_000  # of QoS 0, which brokers send without end while nobody takes them

log = structlog.get_logger()


class MqttTopic:
    """A topic with wildcards, read in one session: who comes with its name last has it."""

    def __init__(self, settings: QueueSettings, _worker: str) -> None:
        self._settings = settings
        self._client: _Client | None = None

    async def connect(self) -> None:
        """Connect, take up the session, and subscribe in case it is new."""
        settings = self._settings
        with _explained():
            client = _Client(settings)
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.enter()
                self._client = client
                options = SubscribeOptions(qos=1, retainHandling=_RETAINED[settings.start])
                how: dict[str, Any] = {"options": options} if settings.mqtt == "5" else {"qos": 1}
                answers = await client.subscribe(settings.topic, **how)
        for answer in answers:
            if getattr(answer, "value", answer) >= _REFUSED:
                raise BrokerError(f"The broker does not let us read {settings.topic}: {answer}.")

    @property
    def is_new(self) -> bool:
        """Whether the broker had no session, so that packet numbers begin anew."""
        return self._connected().is_new

    async def fetch(self) -> list[Message]:
        """Return what has come."""
        client = self._connected()
        found: list[MQTTMessage] = []
        with contextlib.suppress(TimeoutError):
            found.append(await asyncio.wait_for(client.come.get(), FETCH_SECONDS))
        with _explained():
            while found and len(found) < self._settings.prefetch and client.has_more():
                found.append(client.come.get_nowait())
        return [_message(each) for each in found]

    async def done(self, messages: Sequence[Message]) -> None:
        """Acknowledge messages, in the order in which they came."""
        client = self._connected()
        for each in messages:
            client.acknowledge(each.token)

    async def close(self) -> None:
        """Leave; the broker keeps the session and what was not acknowledged."""
        if self._client:
            with contextlib.suppress(aiomqtt.MqttError, OSError, TimeoutError):
                await self._client.__aexit__(None, None, None)
            self._client.release()

    def _connected(self) -> _Client:
        lost = self._client.lost if self._client else ""
        if self._client is None or lost:
            raise BrokerError(f"The connection is closed. {lost}".strip())
        return self._client


class _Client(aiomqtt.Client):
    """A client that acknowledges when it is told to, and gives messages as they come."""

    def __init__(self, settings: QueueSettings) -> None:
        place = urlsplit(settings.url)
        new = settings.mqtt == "5"
        super().__init__(
            place.hostname or "127.0.0.1",
            place.port or _PORTS[place.scheme],
            username=settings.user or None,
            password=settings.password.get_secret_value() or None,
            identifier=_session(settings),
            protocol=_VERSIONS[settings.mqtt],
            **({"clean_start": False, "properties": _wishes(settings)} if new else {"clean_session": False}),
            keepalive=_KEEPALIVE_SECONDS,
            tls_context=tls_context(settings),
        )
        self._client.manual_ack_set(on=True)
        self.come: asyncio.Queue[MQTTMessage] = asyncio.Queue()
        self.dropped = 0
        self.is_new = False

    @property
    def lost(self) -> str:
        """Why the connection has ended, empty while it lasts."""
        return str(self._disconnected.exception() or "It was ended.") if self._disconnected.done() else ""

    async def enter(self) -> None:
        """Connect, or leave nothing open."""
        try:
            await self.__aenter__()
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Close the socket, which paho leaves open when a broker does not answer to the end."""
        self._client._sock_close()  # noqa: SLF001 - it has no other way

    def has_more(self) -> bool:
        """Tell whether another message has come; aiomqtt reads one of the socket each time it looks there."""
        if self.come.empty():
            self._client.loop_read()
        return not self.come.empty()

    def acknowledge(self, message: MQTTMessage) -> None:
        """Tell the broker that a message is safe."""
        self._client.ack(message.mid, message.qos)

    def _on_connect(self, client: Any, userdata: Any, flags: Any, *rest: Any) -> None:
        self.is_new = not flags.session_present
        super()._on_connect(client, userdata, flags, *rest)

    def _on_message(self, _client: Any, _userdata: Any, message: MQTTMessage) -> None:
        if message.qos == 0 and self.come.qsize() >= _MOST_WAITING:
            self._drop(message.topic)
        else:
            self.come.put_nowait(message)

    def _drop(self, topic: str) -> None:
        """Drop a message that was sent without a promise, and say so at the first."""
        if not self.dropped:
            log.warning("mqtt_dropped", topic=topic, waiting=_MOST_WAITING)
        self.dropped += 1


def _session(settings: QueueSettings) -> str:
    """Return the name of the session: another topic has another one, which is subscribed to nothing else."""
    topic = blake2b(settings.topic.encode(), digest_size=4).hexdigest()
    return f"headwater-{settings.group}-{topic}"


def _wishes(settings: QueueSettings) -> Properties:
    wishes = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    wishes.SessionExpiryInterval = _KEPT_SECONDS
    wishes.ReceiveMaximum = settings.prefetch
    return wishes


def _message(found: MQTTMessage) -> Message:
    headers = dict(getattr(found.properties, "UserProperty", ()))
    if content := getattr(found.properties, "ContentType", ""):
        headers["Content-Type"] = content
    identity = short(headers.get(_ID, ""))
    slot = "" if identity else str(found.mid)
    return Message(bytes(found.payload), found.topic, identity, found, headers, slot, again=bool(found.dup))


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (aiomqtt.MqttError, OSError, TimeoutError, ValueError) as error:
        raise BrokerError(why(error)) from None
