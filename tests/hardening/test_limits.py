"""Floods: rates of a source, a key and an address, shared quotas, connections in number and time."""

from __future__ import annotations

import asyncio
import gzip
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from collector.connections import Connections
from collector.limits import _MOST_BUCKETS, Limits
from collector.model import Outcome, Reason, Refusal
from collector.settings import Settings
from collector.stats import Quotas
from collector.store import Names
from tests.conftest import hit, run_collector, web_source

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from tests.conftest import Running

BOTH_WAYS = True
VIEW = {"batch": [{"type": "page"}]}
STORED = Outcome(0, "stored")
WAYS = ("/e/web1", "/p/web1.gif", "/v1/batch", "/v1/import", "/track", "/matomo.php", "/h/hook1")
BOMB = gzip.compress(bytes(5 * 1024 * 1024))
SHORT = gzip.compress(b"{}")


class Clock:
    """A time that tests set."""

    def __init__(self) -> None:
        self.time = 1_767_323_045.0

    def __call__(self) -> float:
        return self.time


def admitted(limits: Limits, number: int, **fields: Any) -> int:
    """Return how many of so many hits are taken."""
    taken, reasons = 0, set()
    for _ in range(number):
        try:
            limits.admit(hit(**fields))
        except Refusal as refusal:
            reasons.add((refusal.reason, bool(refusal.retry_after)))
        else:
            taken += 1
    assert reasons <= {(Reason.RATE_LIMITED, True)}
    return taken


class Stuck(asyncio.Transport):
    """A transport whose peer does not read."""

    cut = False

    def get_write_buffer_size(self) -> int:
        return 1

    def abort(self) -> None:
        self.cut = True


def limits_of(clock: Clock, **rates: float) -> Limits:
    return Limits(Settings(**{"source_rate": 0, "key_rate": 0, "address_rate": 0, **rates}), clock)


@pytest.mark.parametrize(
    ("rate", "fields"),
    [
        ("source_rate", {}),
        ("key_rate", {"key": "rest1/k1"}),
        ("address_rate", {"address": "203.0.113.7"}),
    ],
)
def test_a_bucket_holds_ten_seconds_and_fills_at_its_rate(rate: str, fields: dict[str, str]) -> None:
    clock = Clock()
    limits = limits_of(clock, **{rate: 2})

    assert admitted(limits, 50, **fields) == 20
    clock.time += 3
    assert admitted(limits, 50, **fields) == 6


def test_one_address_takes_nothing_from_another_nor_from_another_source() -> None:
    limits = limits_of(Clock(), address_rate=1)
    assert admitted(limits, 50, address="203.0.113.7") == 10

    assert admitted(limits, 50, address="203.0.113.8") == 10
    assert admitted(limits, 50, address="203.0.113.7", source=web_source(id="web2")) == 10


def test_the_addresses_of_one_ipv6_network_share_a_bucket_and_this_machine_has_none() -> None:
    limits = limits_of(Clock(), address_rate=1)
    assert admitted(limits, 6, address="2001:db8::1") == 6

    assert admitted(limits, 50, address="2001:db8::ffff:2") == 4
    assert admitted(limits, 50, address="2001:db8:0:1::1") == 10
    assert admitted(limits, 50, address="127.0.0.1") == 50


def test_the_table_of_buckets_is_bounded() -> None:
    limits = limits_of(Clock(), address_rate=1)
    for number in range(_MOST_BUCKETS + 100):
        limits.admit(hit(address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"))

    assert len(limits._full_at) == _MOST_BUCKETS


def test_bombs_cost_their_address_the_bodies_that_it_compresses() -> None:
    clock = Clock()
    limits = limits_of(clock, address_rate=400)

    def thrown(address: str) -> int:
        bombs = 0
        with suppress(Refusal):
            while bombs < 1000:
                limits.admit_compressed(address)
                limits.note_bomb(address)
                bombs += 1
        return bombs

    assert thrown("203.0.113.7") == 40
    clock.time += 2
    assert thrown("203.0.113.7") == 8
    assert thrown("203.0.113.8") == 40
    assert thrown("127.0.0.1") == 1000
    assert admitted(limits, 1, address="203.0.113.7") == 1


async def test_a_flood_from_one_address_is_answered_429_and_another_is_served(settings: Settings) -> None:
    update = {"address_rate": 0.1, "trusted_proxies": ("127.0.0.0/8",)}
    async with run_collector(settings.model_copy(update=update)) as running:
        source = await running.add()
        first = await running.post(source.id, VIEW, X_Forwarded_For="203.0.113.7")
        more = await running.post(source.id, VIEW, X_Forwarded_For="203.0.113.7")
        other = await running.post(source.id, VIEW, X_Forwarded_For="203.0.113.8")
        told = await (await running.console.get("/metrics")).text()

        assert (first.status, more.status, other.status) == (204, 429, 204)
        assert more.headers["X-Headwater-Reason"] == "rate_limited"
        assert 0 < int(more.headers["Retry-After"]) <= 60
        assert f'refusals_total{{reason="rate_limited",source="{source.id}"}} 1.0' in told


async def test_a_bomb_ends_its_connection_and_costs_its_address(settings: Settings) -> None:
    """The next compressed body of the address is not inflated; what is not compressed is heard."""
    update = {"address_rate": 1, "trusted_proxies": ("127.0.0.0/8",)}
    told: dict[str, list[tuple[str, str]]] = {}
    async with run_collector(settings.model_copy(update=update)) as running:
        await running.add(id="web1")
        await running.add(id="hook1", bridge="webhook")
        for number, path in enumerate(WAYS):
            method = "GET" if path.endswith(".gif") else "POST"
            bomber, other = f"203.0.113.{number}", f"198.51.100.{number}"
            told[path] = []
            for address, body in ((bomber, BOMB), (bomber, SHORT), (bomber, b"{}"), (other, SHORT)):
                headers = {"X-Forwarded-For": address}
                async with running.public.request(method, path, data=body, headers=headers) as answer:
                    reason = answer.headers.get("X-Headwater-Reason", "")
                    told[path].append((reason, answer.headers.get("Connection", "")))

    for bomb, *more in told.values():
        assert bomb in {("inflated_too_large", "close"), ("too_large", "close")}
        assert more[0] == ("rate_limited", "")
        assert "rate_limited" not in {reason for reason, _ in more[1:]}
        assert {connection for _, connection in more} == {""}


async def test_a_quota_is_shared_by_all_collectors_and_ends_with_its_day(
    redis: Redis, settings: Settings
) -> None:
    clock, source = Clock(), web_source(quota_day=5)
    one, two = (Quotas(redis, Names(settings.namespace), clock) for _ in range(2))
    one.took(source, [STORED] * 3)
    two.took(source, [STORED] * 2)
    await one.flush()
    await two.flush()
    one.admit(source)  # it has not heard of the other's yet
    await one.flush()

    for quotas in (one, two):
        with pytest.raises(Refusal, match="quota_exceeded"):
            quotas.admit(source)
    clock.time += 86400
    one.admit(source)


async def test_a_month_ends_later_than_a_day(redis: Redis, settings: Settings) -> None:
    clock, source = Clock(), web_source(quota_month=1)
    quotas = Quotas(redis, Names(settings.namespace), clock)
    quotas.took(source, [STORED])
    await quotas.flush()
    clock.time += 86400

    with pytest.raises(Refusal, match="quota_exceeded"):
        quotas.admit(source)
    quotas.admit(replace(source, quota_month=2))


async def test_what_goes_beyond_the_quota_is_answered_429(running: Running) -> None:
    source = await running.add(quota_day=1)
    first = await running.post(source.id, VIEW)
    more = await running.post(source.id, VIEW)

    assert (first.status, more.status) == (204, 429)
    assert more.headers["X-Headwater-Reason"] == "quota_exceeded"
    assert len(await running.events()) == 1


@pytest.mark.parametrize(
    ("update", "asked", "served"),
    [
        ({"connections_per_address": 3}, 5, 3),
        ({"connections_per_address": 3, "trusted_proxies": ("127.0.0.0/8",)}, 5, 5),
        ({"connections": 10, "trusted_hops": 1}, 12, 10),
    ],
)
async def test_connections_beyond_their_number_are_cut(
    settings: Settings, update: dict[str, Any], asked: int, served: int
) -> None:
    async with run_collector(settings.model_copy(update=update)) as running:
        port = running.parts.ports.public
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(asked)]
        for _, writer in opened:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        answers = [await _first_bytes(reader) for reader, _ in opened]
        for _, writer in opened:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

        assert answers.count(b"HTTP/1.1 200") == served


async def _first_bytes(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(12)
    except ConnectionError:
        return b""


def test_who_does_not_read_the_answers_is_cut() -> None:
    """A sweep cuts only what waits unread at two looks more than ten seconds apart."""
    connections = Connections(10, 10, lambda _: False)
    transport = Stuck()
    connections.enter(transport)
    for now in (0, 9):
        connections.sweep(now)
        assert not transport.cut
    connections.sweep(11)

    assert transport.cut
