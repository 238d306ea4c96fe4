"""The settings of the bridge ``queue``: which broker, what of it, as whom, and what a message holds."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from collector.protocols.presets import PRESETS
from collector.protocols.webhook import Plan
from collector.sources.base import StrictModel
from collector.sources.secret import Secret  # noqa: TC001 - pydantic reads it
from collector.sources.servers import Path  # noqa: TC001 - pydantic reads it
from collector.wording import InWords

BrokerKind: TypeAlias = Literal["redis", "nats", "rabbitmq", "kafka", "mqtt"]

Topic = Annotated[
    str,
    StringConstraints(min_length=1, max_length=250, pattern=r"^[^\s\x00-\x1f]+$"),
    InWords("This must be 1 to 250 characters, none of them a space"),
]
Group = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$"),
    InWords("This must be 1 to 100 letters from A to z, digits, - and _"),
]

# How the address of each broker begins, without and with TLS, and its port.
SCHEMES: dict[BrokerKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "redis": (("redis", "redis+sentinel", "redis+cluster"), ("rediss", "rediss+sentinel", "rediss+cluster")),
    "nats": (("nats",), ("tls",)),
    "rabbitmq": (("amqp",), ("amqps",)),
    "kafka": (("kafka",), ("kafka+ssl",)),
    "mqtt": (("mqtt",), ("mqtts",)),
}


class QueueSettings(StrictModel):
    """Which messages a queue source reads, and what they hold."""

    broker: BrokerKind = Field(
        "redis",
        description="Who keeps the messages: redis (streams), nats (JetStream), rabbitmq (queues),"
        " kafka, mqtt.",
    )
    address: str = Field(
        "",
        max_length=500,
        description="Where it is, such as rediss://queue.example:6379, for Kafka several by commas;"
        " empty: this machine.",
    )
    user: str = Field("", max_length=200, description="User to sign in as.")
    password: Secret = Field(
        SecretStr(""), max_length=2000, description="Password of the user, or a token when there is no user."
    )
    sasl: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "PLAIN", description="Kafka: how the user signs in."
    )
    mqtt: Literal["5", "3.1.1"] = Field("5", description="MQTT: which version of it to speak.")
    ca: str = Field(
        "", max_length=500, description="File of the authority that signed the broker's certificate, for TLS."
    )
    certificate: str = Field("", max_length=500, description="File of a client certificate, for TLS.")
    key: str = Field("", max_length=500, description="File of the client certificate's key.")
    topic: Topic = Field(
        "headwater",
        description="What to read: a stream of Redis, a subject of NATS (with * and >), a queue,"
        " a topic of Kafka (with *) or MQTT (with + and #).",
    )
    group: Group = Field(
        "headwater",
        description="Consumer group; workers of one group share the messages. RabbitMQ has none; MQTT: the"
        " session that the broker keeps, one for each source.",
    )
    start: Literal["oldest", "newest"] = Field(
        "oldest", description="Where a group that is new begins: with all that is kept, or with what comes."
    )
    prefetch: int = Field(100, ge=1, le=1000, description="Most messages that are worked on at once.")
    takeover_seconds: int = Field(
        60, ge=1, le=3600, description="After this long another worker gets what one has not acknowledged."
    )
    tries: int = Field(
        3, ge=1, le=20, description="Tries before a message at which the collector fails is set aside."
    )
    format: Literal["batch", "event", "segment", "tracardi", "cloudevents", "mapping"] = Field(
        "event",
        description="What a message holds: batch (as beacons), event (one, Segment-shaped), segment,"
        " tracardi, cloudevents, or anything, read by the templates below (mapping).",
    )
    field: str = Field(
        "", max_length=100, description="Redis: the field that holds the message; empty: all, as one object."
    )
    event: Path = Field("", description="Mapping: name of the event, such as order.{body.state}.")
    id: Path = Field("", description="Mapping: id of the event; one seen before is not stored again.")
    time: Path = Field("", description="Mapping: when it happened: ISO 8601, seconds or milliseconds.")
    who: Path = Field("", description="Mapping: the user id.")
    anonymous: Path = Field("", description="Mapping: the visitor's anonymous id.")
    properties: dict[str, Path] = Field(
        default_factory=dict, description="Mapping: properties by name; without any, the whole body."
    )

    @field_validator("address")
    @classmethod
    def _without_secret(cls, value: str) -> str:
        if "@" in value:
            raise ValueError("leave user and password out of the address: they have fields of their own")
        return value

    @model_validator(mode="after")
    def _fitting_address(self) -> QueueSettings:
        known = [scheme for schemes in SCHEMES[self.broker] for scheme in schemes]
        if self.address and self.address.partition("://")[0] not in known:
            raise ValueError(f"address of {self.broker} must begin with one of: {', '.join(known)}, then ://")
        if self.key and not self.certificate:
            raise ValueError("key is given without certificate")
        return self

    @property
    def url(self) -> str:
        """The address, that of this machine when none is given."""
        return self.address or f"{SCHEMES[self.broker][0][0]}://127.0.0.1"

    @property
    def tls(self) -> bool:
        """Whether the address asks for TLS."""
        return self.url.partition("://")[0] in SCHEMES[self.broker][1]

    @property
    def alone(self) -> bool:
        """Whether one worker at a time reads: a session of MQTT cannot be shared."""
        return self.broker == "mqtt"

    @property
    def place(self) -> str:
        """Host and topic, for people."""
        return f"{self.broker} {urlsplit(self.url).netloc}, {self.topic}"

    @cached_property
    def plan(self) -> Plan:
        """What messages of the formats mapping and cloudevents are read by."""
        preset = PRESETS["cloudevents" if self.format == "cloudevents" else "json"]
        names = {"event": self.event, "id": self.id, "time": self.time, "user": self.who}
        own: dict[str, Any] = {name: value for name, value in names.items() if value}
        preset = replace(preset, recipe=None, **own)
        name = "cloudevents" if self.format == "cloudevents" else "queue"
        return Plan(name, preset, (), self.anonymous, properties=self.properties or None)
