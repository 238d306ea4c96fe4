"""``headwater webhook …`` and ``headwater replay``: see, try and repeat the deliveries of webhook sources."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collector.app import collector
from collector.cli.context import COUNT, opened, run, with_settings
from collector.model import Hit, Outcome, Refusal, Source
from collector.protocols.presets import PRESETS
from collector.protocols.sample import SampleError, sample
from collector.replay import replay as take_again
from collector.sources import SourceError
from collector.sources.secret import masked
from collector.sources.servers import RestSettings, WebhookSettings
from collector.store import StoreError
from collector.store.deliveries import DeliveryLog

if TYPE_CHECKING:
    from collector.settings import Settings
    from collector.sources import Catalogue

_FAILURE = 400
store_settings = with_settings("data", "redis_url")
door_settings = with_settings("data", "redis_url", "public_url", "port")


@click.group()
def webhook() -> None:
    """See and try the deliveries of webhook sources."""


@webhook.command()
def presets() -> None:
    """List the presets and what each provider calls its secret."""
    table = Table("preset", "for", "secret", box=None, header_style="bold")
    for name, preset in PRESETS.items():
        table.add_row(name, preset.help, preset.ask_for)
    Console().print(table)


@webhook.command()
@door_settings
@click.argument("name", metavar="SOURCE")
@click.option("--reveal", is_flag=True, help="Print the secrets whole: the one command that does.")
def address(settings: Settings, name: str, *, reveal: bool) -> None:
    """Print what to paste at the provider.

    That is the address, and the secrets, masked.
    """
    source = run(_found(settings, name))
    click.echo(f"{settings.public_address()}/h/{source.id}")
    wanted: WebhookSettings = source.settings
    for secret in wanted.secrets:
        value = secret.get_secret_value()
        label = PRESETS[wanted.preset].ask_for or "Secret"
        click.echo(f"{label}: {value if reveal else masked(value)}")


@webhook.command()
@door_settings
@click.argument("name", metavar="SOURCE")
@click.option("--last", type=COUNT, default=20, show_default=True, help="How many.")
def deliveries(settings: Settings, name: str, *, last: int) -> None:
    """Print the last deliveries of a webhook or rest source.

    Its address comes first, then the deliveries, the newest first.
    """

    async def work() -> tuple[Source, list[dict[str, Any]]]:
        async with opened(settings) as (redis, names, catalogue):
            source = _server_source(catalogue, name)
            return source, await DeliveryLog(redis, names).last(source.id, last)

    source, rows = run(work())
    path = f"/h/{source.id}" if source.bridge == "webhook" else "/v1/batch"
    click.echo(settings.public_address() + path)
    if not rows:
        click.echo("Waiting for the first delivery.")
        return
    table = Table("time", "verdict", "reason", "ids", "kept as", box=None, header_style="bold")
    for row in rows:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(int(row["entry"].split("-")[0]) / 1000))
        kept = row["entry"] if "raw" in row else ""
        shown = [escape(row.get(key, "")) for key in ("verdict", "reason", "ids")]
        table.add_row(when, *shown, kept)
    Console().print(table)


@webhook.command()
@door_settings
@click.argument("name", metavar="SOURCE")
def test(settings: Settings, name: str) -> None:
    """Send a delivery as the provider would sign it.

    It goes through the real door, and the answer is printed.
    """
    source = run(_found(settings, name))
    try:
        url = f"{settings.public_address()}/h/{source.id}"
        hit = sample(source, source.settings.plan, url, time.time_ns() // 1_000_000)
    except SampleError as error:
        raise SourceError(str(error)) from None
    status, text = run(_post(hit))
    click.echo(f"{status} {text}".rstrip())
    sys.exit(status >= _FAILURE)


@click.command()
@store_settings
@click.argument("name", metavar="SOURCE")
@click.argument("entries", nargs=-1, metavar="[KEPT-AS]…")
def replay(settings: Settings, name: str, entries: tuple[str, ...]) -> None:
    """Take once more what a webhook or rest source refused.

    The oldest first; or the kept hits that are named.
    """
    for line in run(_replay(settings, name, entries)):
        click.echo(line)


async def _replay(settings: Settings, name: str, entries: tuple[str, ...]) -> list[str]:
    async with collector(settings) as running:
        source = _server_source(running.catalogue, name)
        taken = take_again(running.pipeline, running.deliveries, source, entries)
        lines = [f"{entry} {_verdict(result)}" async for entry, result in taken]
    return lines or ["Nothing to replay. Refused hits are kept unless settings.keep is off."]


def _verdict(result: list[Outcome] | Refusal) -> str:
    if isinstance(result, Refusal):
        return f"refused: {result.message}"
    return ", ".join(sorted({outcome.verdict for outcome in result})) or "no event"


async def _found(settings: Settings, name: str) -> Source:
    async with opened(settings) as (_, _, catalogue):
        return _webhook_source(catalogue, name)


def _webhook_source(catalogue: Catalogue, name: str) -> Source:
    source = catalogue.get(name)
    if not isinstance(source.settings, WebhookSettings):
        raise SourceError(f"{name!r} is a {source.bridge} source, not a webhook source.")
    return source


def _server_source(catalogue: Catalogue, name: str) -> Source:
    source = catalogue.get(name)
    if not isinstance(source.settings, WebhookSettings | RestSettings):
        raise SourceError(f"{name!r} is a {source.bridge} source; hits of webhook and rest sources are kept.")
    return source


async def _post(hit: Hit) -> tuple[int, str]:
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(hit.url, data=hit.body, headers=hit.headers, allow_redirects=False) as answer,
        ):
            return answer.status, await answer.text()
    except aiohttp.ClientError:
        raise StoreError(f"Nothing answers at {hit.url}. Is `headwater serve` running there?") from None
