"""``headwater selftest``: whether an installation keeps its promise, tried from outside."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import click

from collector.cli.context import opened, require_redis_streams, run, with_settings
from collector.selftest.faults import FAULTS, Target
from collector.selftest.judge import Seen, delays, judge, percentile
from collector.selftest.load import Load, Plan
from collector.sources import check_form
from collector.stats import Figures
from collector.store import StoreError
from collector.stream.groups import drop_stream
from collector.tasks import end, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from collector.model import Source
    from collector.selftest.judge import Verdict
    from collector.selftest.load import Sent
    from collector.settings import Settings
    from collector.sources import Catalogue
    from collector.store import Names, Redis

Decorated = TypeVar("Decorated", bound="Callable[..., Any]")

_KNOWN_SECONDS = 15.0
_COUNTED_SECONDS = 1.5  # collectors write their counts every second
_BROKEN_SECONDS = 12.0  # over which the load is spread, so that faults happen under it


def _number(flag: str, default: int, most: int, about: str) -> Callable[[Decorated], Decorated]:
    """Return the option of a number that has a bound."""
    kind = click.IntRange(1, most)
    return click.option(flag, default=default, show_default=True, type=kind, metavar="N", help=about)


@click.command()
@with_settings("data", "redis_url", "partitions")
@click.option("--url", required=True, help="Address of the public door, such as http://127.0.0.1:8080.")
@_number("--events", 2000, 100_000, "How many are sent.")
@_number("--batch", 10, 100, "How many go together.")
@_number("--clients", 8, 64, "How many send at once.")
@_number("--seconds", 60, 600, "Longest time to send, and again to wait for what was acknowledged.")
@click.option("--break", "broken", is_flag=True, help="Cause faults too: slow, cut, malformed, oversized.")
@click.option("--yes", is_flag=True, help="Load an address that is not this machine's.")
def selftest(settings: Settings, *, url: str, broken: bool, yes: bool, **numbers: int) -> None:
    """Try an installation: what is lost, what waits how long.

    Marked events are sent and read back. It makes a source with a stream of its own in the Redis of the
    settings, which must be the installation's, and removes both at the end. Exit status 1 when an
    acknowledged event is lost or twice there, or when a fault is not answered as it must be.
    """
    place = urlsplit(url)
    if place.scheme not in {"http", "https"} or not place.hostname:
        raise click.UsageError(f"--url {url!r} is no address such as http://127.0.0.1:8080.")
    if not _is_here(place.hostname) and not yes:
        raise click.UsageError(f"{place.hostname} is not this machine. If it is yours to load, say --yes.")
    sys.exit(run(_selftest(settings, url.rstrip("/"), broken=broken, **numbers)))


async def _selftest(
    settings: Settings, url: str, *, broken: bool, events: int, batch: int, clients: int, seconds: int
) -> int:
    require_redis_streams(settings)
    async with (
        opened(settings) as (redis, names, catalogue),
        _source(redis, names, catalogue, settings.partitions) as source,
    ):
        await _known(url, source.id)
        pause = min(_BROKEN_SECONDS, seconds / 5) * batch * clients / events if broken else 0.0
        load = Load(Plan(f"{url}/e/{source.id}", events, batch, clients, seconds, pause))
        seen, sent = Seen(), load.sent
        reading = seen.read(redis, names, source.stream, settings.partitions)
        async with running(reading):
            failed, more = await _under_load(load, broken=broken)
            acknowledged = {*sent.acknowledged, *more}
            await seen.wait_for(acknowledged, seconds)
            await asyncio.sleep(_COUNTED_SECONDS)
        verdict = judge(acknowledged, seen)
        _tell(load.plan, sent, seen, verdict)
        return int(failed or verdict.lost > 0 or verdict.twice > 0 or len(sent.acknowledged) < events)


async def _under_load(load: Load, *, broken: bool) -> tuple[bool, list[str]]:
    """Send the load, beside it the faults; return whether one failed, and what they had acknowledged."""
    sending = asyncio.ensure_future(load.run())
    failed = False
    acknowledged: list[str] = []
    try:
        for name, cause in FAULTS.items() if broken else ():
            outcome = await cause(Target(load.plan.url))
            failed = failed or not outcome.passed
            acknowledged += outcome.acknowledged
            click.echo(f"{name:<13}{'ok' if outcome.passed else 'BAD':<5}{outcome.told}")
        await sending
    finally:
        await end(sending)
    return failed, acknowledged


@asynccontextmanager
async def _source(redis: Redis, names: Names, catalogue: Catalogue, partitions: int) -> AsyncIterator[Source]:
    """Make a source with a stream of its own, and remove all traces of it."""
    name = f"selftest-{secrets.token_hex(4)}"
    form = {"id": name, "name": "Self-test", "stream": name, "privacy": {"visitors": "cookie"}}
    source = await catalogue.add(check_form(form))
    try:
        yield source
    finally:
        await catalogue.remove(source.id)
        await asyncio.sleep(_COUNTED_SECONDS)
        await drop_stream(redis, names, source.stream, partitions)
        await Figures(redis, names).forget(source.id)
        click.echo("cleaned up   source, stream, group and figures")


async def _known(url: str, source: str) -> None:
    """Wait until the installation knows the source. Raises StoreError when it does not."""
    end = time.monotonic() + _KNOWN_SECONDS
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < end:
            try:
                async with session.post(f"{url}/e/{source}", data=b'{"batch":[]}') as answer:
                    if answer.ok:
                        return
            except aiohttp.ClientError:
                raise StoreError(f"Nothing answers at {url}. Is `headwater serve` running there?") from None
            await asyncio.sleep(0.1)
    raise StoreError(f"{url} does not know a source that was just made: is its Redis the one of --redis-url?")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tell(plan: Plan, sent: Sent, seen: Seen, verdict: Verdict) -> None:
    rate = len(sent.acknowledged) / sent.seconds if sent.seconds else 0
    click.echo(
        f"load         {len(sent.acknowledged):,} of {plan.events:,} events acknowledged in"
        f" {sent.seconds:.1f} s, {rate:,.0f} a second; batches of {plan.batch}, {plan.clients} clients"
    )
    if sent.held_back or sent.errors:
        errors = "".join(f", {number:,} times {name}" for name, number in sent.errors.most_common(5))
        click.echo(f"sent again   {sent.held_back:,} times told to wait{errors}")
    click.echo(f"answered     {_spread(sent.answers)}")
    click.echo(f"read back    {_spread(delays(sent.at, seen.at))}")
    click.echo(
        f"verdict      {verdict.acknowledged:,} acknowledged, {verdict.read:,} in the stream:"
        f" {verdict.lost:,} lost, {verdict.twice:,} twice"
    )


def _spread(values: list[float]) -> str:
    return f"p50 {percentile(values, 0.5) * 1000:.1f} ms, p99 {percentile(values, 0.99) * 1000:.1f} ms"
