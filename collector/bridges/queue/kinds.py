"""The kinds of brokers. Each is imported when a source asks for it: its library is an extra."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from collector.bridges.queue.broker import Broker, BrokerError

if TYPE_CHECKING:
    from collector.sources.queue import BrokerKind, QueueSettings

_KINDS: dict[BrokerKind, tuple[str, str]] = {
    "redis": ("redis", "RedisStreams"),
    "nats": ("nats", "NatsSubject"),
    "rabbitmq": ("rabbitmq", "RabbitQueue"),
    "kafka": ("kafka", "KafkaTopics"),
    "mqtt": ("mqtt", "MqttTopic"),
}


def open_broker(settings: QueueSettings, worker: str) -> Broker:
    """Return the broker of a source, not connected yet. Raises BrokerError when its extra is missing."""
    module, name = _KINDS[settings.broker]
    try:
        made = getattr(import_module(f"{__package__}.{module}"), name)
    except ModuleNotFoundError:
        raise BrokerError(
            f"This installation has no {settings.broker}: pip install 'headwater[{settings.broker}]'."
        ) from None
    return cast("Broker", made(settings, worker))
