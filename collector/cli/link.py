"""``headwater link …``: short links, and the signing keys of email sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from collector.cli.context import opened, public_base, run, with_confirmation, with_settings
from collector.sources.email import email_source
from collector.sources.keys import rotate_signing_key
from collector.sources.short_links import ShortLinks
from collector.store.mirror import Mirror

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from collector.settings import Settings
    from collector.sources import Catalogue

store_settings = with_settings("data", "redis_url")
_public_settings = with_settings("data", "redis_url", "public_url")


@click.group()
def link() -> None:
    """Keep the links of email sources."""


@link.command()
@_public_settings
@click.argument("source")
@click.argument("target")
@click.option("--label", default="", help="Where it is printed or sent; stands in its events.")
def add(settings: Settings, source: str, target: str, label: str) -> None:
    """Make a short link for print, QR codes or SMS."""
    made = _with_links(
        settings, lambda catalogue, links: links.add(email_source(catalogue.get(source)), target, label)
    )
    click.echo(f"{public_base(settings)}/l/{made.id}")


@link.command("list")
@store_settings
@click.argument("source")
def list_(settings: Settings, source: str) -> None:
    """List the short links of a source."""

    async def listed(catalogue: Catalogue, links: ShortLinks) -> Any:
        return links.of(email_source(catalogue.get(source)).id)

    table = Table("id", "label", "leads to", box=None, header_style="bold")
    table.columns[2].overflow = "fold"
    for each in _with_links(settings, listed):
        table.add_row(each.id, each.label, each.target)
    Console(markup=False).print(table)


@link.command()
@store_settings
@click.argument("id")
@with_confirmation("Whoever follows it will find a page that says so. Remove it?")
def remove(settings: Settings, *, confirm: Callable[[], None], **arguments: str) -> None:
    """End a short link."""
    name = arguments["id"]

    async def look(_: Catalogue, links: ShortLinks) -> None:
        links.get(name)

    _with_links(settings, look)
    confirm()
    _with_links(settings, lambda _, links: links.remove(name))
    click.echo(f"Removed {name}.")


@link.command()
@store_settings
@click.argument("source")
def rotate(settings: Settings, source: str) -> None:
    """Sign with a new key from now on. Links of the old one work for 13 months more."""

    async def work() -> str:
        async with opened(settings) as (_, _, catalogue):
            return await rotate_signing_key(catalogue, email_source(catalogue.get(source)).id)

    click.echo(f"{source} signs with the new key {run(work())}.")


def _with_links(settings: Settings, call: Callable[[Catalogue, ShortLinks], Coroutine[Any, Any, Any]]) -> Any:
    async def work() -> Any:
        async with opened(settings) as (redis, names, catalogue):
            mirror = Mirror(redis, names.short_links)
            await mirror.load()
            return await call(catalogue, ShortLinks(mirror))

    return run(work())
