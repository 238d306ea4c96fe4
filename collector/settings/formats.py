"""The forms that values of settings have, each with the sentence about one of another form.

It knows no setting.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from collector.wording import InWords

_BROKER = r"[^\s,/?@:]+(:[0-9]{1,5})?"

Site = Annotated[
    str,
    StringConstraints(pattern=r"^(https?://[^/\s]+)?$"),
    InWords("This must be https:// or http:// and a host without a path, such as https://console.example"),
]
PublicAddress = Annotated[
    str,
    StringConstraints(pattern=r"^(https?://[^/\s]\S*)?$"),
    InWords("This must begin with https:// or http://, such as https://collect.example"),
]
PathPrefix = Annotated[
    str,
    StringConstraints(pattern=r"^(/[A-Za-z0-9_-]+)*$"),
    InWords("This must be / and letters from A to z, digits, - and _, such as /in"),
]
RedisAddress = Annotated[
    str,
    StringConstraints(pattern=r"^((rediss?(\+sentinel|\+cluster)?|unix)://.*)?$"),
    InWords("This must be an address such as redis://redis.example:6379/0"),
]
KafkaAddress = Annotated[
    str,
    StringConstraints(pattern=rf"^(kafka(\+ssl)?://(\S+@)?{_BROKER}(,{_BROKER})*/?(\?.*)?)?$"),
    InWords("This must be an address such as kafka://kafka-1.example:9092,kafka-2.example:9092"),
]
Namespace = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$"),
    InWords("This must be letters from A to z, digits, -, _ and dots, such as headwater"),
]
HeaderName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9-]{0,100}$"),
    InWords("This must be at most 100 letters from A to z, digits and -, such as X-Forwarded-User"),
]


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for network in value:
        ipaddress.ip_network(network, strict=False)
    return value


Networks = Annotated[tuple[str, ...], BeforeValidator(_split), AfterValidator(_networks)]
Paths = Annotated[tuple[Path, ...], BeforeValidator(_split)]
