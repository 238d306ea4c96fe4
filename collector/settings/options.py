"""Every option of the collector: one table, from which the flags, the environment names and docs are made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from collector.settings import formats  # noqa: TC001 - pydantic reads the annotations


def _data_folder() -> Path:
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "headwater"


class Settings(BaseModel):
    """The options, grouped as people look for them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("0.0.0.0", description="Address that the public door listens on.")  # noqa: S104 - public
    port: int = Field(8080, ge=0, le=65535, description="Port of the public door; 0 picks a free one.")
    console_host: str = Field("127.0.0.1", description="Address that the console listens on.")
    console_port: int = Field(8081, ge=0, le=65535, description="Port of the console; 0 picks a free one.")
    public_url: formats.PublicAddress = Field(
        "", description="Address of the public door as browsers see it, for the snippet."
    )
    console_url: formats.Site = Field(
        "",
        description="Address of the console as browsers see it, such as https://console.example, behind a"
        " proxy.",
    )
    path_prefix: formats.PathPrefix = Field(
        "", description="Path in front of every public path, such as /in."
    )
    lean_paths: bool = Field(
        default=True,
        description="Serve beacons, pixels and click links by the lean way in; false leaves them to aiohttp.",
    )
    workers: int = Field(1, ge=1, le=256, description="Collector processes that share the port.")
    grace_seconds: float = Field(10, gt=0, description="Time to finish and flush after SIGTERM.")
    unready_seconds: float = Field(
        1, ge=0, description="Part of that time to answer as unready first, so that balancers notice."
    )
    data: Path = Field(
        default_factory=_data_folder,
        description="Folder for the embedded server's data, snapshots and the spool.",
    )

    redis_url: formats.RedisAddress = Field(
        "",
        description="Redis or Valkey: redis://, unix://, redis+sentinel:// or redis+cluster://, rediss with"
        " TLS (docs/operation.md). Empty starts an embedded one.",
    )
    stream: formats.KafkaAddress = Field(
        "",
        description="Kafka to keep the events in instead of Redis: kafka://host:9092,… or kafka+ssl://"
        " (docs/kafka.md). Empty: Redis.",
    )
    redis_timeout_seconds: float = Field(2, ge=1, description="Longest wait for one answer from Redis.")
    ack: Literal["stream", "replica", "memory"] = Field(
        "stream",
        description="What a 2xx means: in the stream; in ack_replicas replicas too; or in memory only, where"
        " a crash loses it.",
    )
    ack_replicas: int = Field(
        1, ge=1, le=10, description="Replicas that must have an event, for ack=replica."
    )
    spool_bytes: int = Field(
        1024**3,
        ge=1024**2,
        description="Most bytes that a worker spools to disk while Redis cannot take them.",
    )
    source_share: float = Field(
        0.8, gt=0, le=1, description="Most of the spool that one source may fill, as a share of 1."
    )
    spool_free_bytes: int = Field(
        256 * 1024**2, ge=0, description="Free disk, in bytes, that spooling leaves to others."
    )
    namespace: formats.Namespace = Field("headwater", description="First part of every Redis key.")
    partitions: int = Field(1, ge=1, le=1024, description="Streams that events are spread over, by visitor.")
    group_events: int = Field(500, ge=1, description="Most events appended to Redis in one round trip.")
    group_wait_ms: float = Field(
        2, ge=0, le=1000, description="Longest wait for more events to join a group, under load only."
    )
    people_index_from: int = Field(
        1_000_000,
        ge=0,
        description="Entries of a stream from which on an index finds a person's events in it; 0 for none.",
    )
    dedup_hours_browser: float = Field(
        1, gt=0, description="How long an event id from a browser is remembered."
    )
    dedup_hours_server: float = Field(
        24, gt=0, description="How long an event id from a server is remembered."
    )

    session_idle_hours: float = Field(
        12, gt=0, description="How long an unused session of the console lasts."
    )
    session_days: float = Field(7, gt=0, description="How long any session of the console lasts.")
    api_per_minute: int = Field(
        1200, ge=1, description="Most calls of the management API a minute by one token or account."
    )
    identity_header: formats.HeaderName = Field(
        "",
        description="Header in which identity_proxies name the account that has signed in with them.",
    )
    identity_proxies: formats.Networks = Field(
        (), description="Networks (CIDR, comma-separated) of the proxies whose identity_header is believed."
    )

    trusted_proxies: formats.Networks = Field(
        (), description="Networks (CIDR, comma-separated) whose X-Forwarded-For is believed."
    )
    trusted_hops: int = Field(
        0, ge=0, le=10, description="Number of proxies in front, instead of naming their networks."
    )
    place_databases: formats.Paths = Field(
        (),
        description="Files in MaxMind's form (comma-separated) that tell places; read anew when they change.",
    )
    place_header: str = Field(
        "",
        description="Header with the country that a trusted proxy sets, such as CF-IPCountry; after commas"
        " those with region and city, if it sets them.",
    )
    body_bytes: int = Field(256 * 1024, ge=1024, description="Largest body on the wire.")
    inflated_bytes: int = Field(1024 * 1024, ge=1024, description="Largest body once inflated.")
    body_seconds: float = Field(10, gt=0, description="Longest time for a body to arrive.")
    batch_events: int = Field(500, ge=1, description="Most events in one batch.")
    event_bytes: int = Field(64 * 1024, ge=1024, description="Largest stored event.")
    depth: int = Field(16, ge=4, le=100, description="Deepest nesting of objects and lists in an event.")
    server_body_bytes: int = Field(
        4 * 1024 * 1024, ge=1024, description="Largest body from a server, on the wire and once inflated."
    )
    server_batch_events: int = Field(2500, ge=1, description="Most events in one batch from a server.")
    server_event_bytes: int = Field(
        256 * 1024, ge=1024, description="Largest stored event from a server, webhook payloads included."
    )
    keepalive_seconds: float = Field(
        15, gt=0, description="How long an idle connection is kept, and a request's head may take to arrive."
    )
    connections: int = Field(
        10_000, ge=10, description="Most connections that are open at a worker's listener."
    )
    connections_per_address: int = Field(
        2000, ge=1, description="Most of them from one address that is no trusted proxy."
    )
    source_rate: float = Field(
        10_000, ge=0, description="Most hits a second that a worker takes of one source; 0 for any number."
    )
    key_rate: float = Field(
        5000, ge=0, description="Most hits a second that a worker takes with one write key; 0 for any number."
    )
    address_rate: float = Field(
        500,
        ge=0,
        description="Most hits a second that a worker takes of one source from one address (of IPv6 a /64;"
        " this machine's own aside); 0 for any number.",
    )

    overload_ms: float = Field(
        1000,
        ge=0,
        description="A worker whose loop is this late, twice in a row, sheds load: bots, then anonymous"
        " repeat hits, then all; 0 for never.",
    )
    overload_sample: float = Field(
        0,
        ge=0,
        lt=1,
        description="Share of 1 of the anonymous repeat hits' events that is kept meanwhile, marked with the"
        " rate, while the rest is dropped; 0 drops none and refuses such hits until later.",
    )

    tracker_seconds: int = Field(300, ge=0, description="How long caches may keep the stable tracker path.")
    tracker_stale_seconds: int = Field(
        86400, ge=0, description="How long caches may serve it while they revalidate."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged."
    )

    def public_address(self, port: int | None = None) -> str:
        """Return the public door's address as browsers see it; ``port`` is the real one when 0 was asked."""
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104 - compared, not bound
        return (self.public_url or f"http://{host}:{port or self.port}").rstrip("/") + self.path_prefix

    def console_address(self, port: int | None = None) -> str:
        """Return the console's address as browsers see it; ``port`` is the real one when 0 was asked."""
        host = "127.0.0.1" if self.console_host == "0.0.0.0" else self.console_host  # noqa: S104 - compared
        return self.console_url or f"http://{host}:{port or self.console_port}"
