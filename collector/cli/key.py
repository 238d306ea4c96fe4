"""``headwater key …``: the write keys of rest sources."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from collector.cli.context import Number, opened, run, with_settings
from collector.sources.keys import add_key, revoke_key, rotate_key

if TYPE_CHECKING:
    from collector.model import Source
    from collector.settings import Settings

store_settings = with_settings("data", "redis_url")


@click.group()
def key() -> None:
    """Add, rotate and revoke the write keys of rest sources."""


@key.command()
@store_settings
@click.argument("source")
@click.option("--label", default="", help="Who uses it.")
@click.option("--origin", "origins", multiple=True, help="Make it a browser key for this origin; repeatable.")
@click.option("--key", "given", default="", help="Take over a key that clients already carry.")
def add(settings: Settings, source: str, *, label: str, origins: tuple[str, ...], given: str) -> None:
    """Make a write key and print it. It is not kept: copy it now."""

    async def work() -> str:
        async with opened(settings) as (_, _, catalogue):
            return await add_key(catalogue, source, label=label, origins=origins, key=given)

    click.echo(run(work()))


@key.command("list")
@store_settings
@click.argument("source")
def list_(settings: Settings, source: str) -> None:
    """List a source's write keys; the keys themselves are not kept."""

    async def work() -> Source:
        async with opened(settings) as (_, _, catalogue):
            return catalogue.get(source)

    table = Table("id", "label", "origins", "created", "expires", box=None, header_style="bold")
    for each in getattr(run(work()).settings, "keys", ()):
        table.add_row(each.id, each.label, " ".join(each.origins), each.created, each.expires or "never")
    Console().print(table)


@key.command()
@store_settings
@click.argument("source")
@click.argument("key_id", metavar="KEY-ID")
@click.option(
    "--overlap-hours",
    type=Number(24 * 365),
    default=24.0,
    show_default=True,
    help="How long the old key still works.",
)
def rotate(settings: Settings, source: str, key_id: str, *, overlap_hours: float) -> None:
    """Make a successor of a key and print it.

    The old one ends after the overlap.
    """

    async def work() -> str:
        async with opened(settings) as (_, _, catalogue):
            return await rotate_key(catalogue, source, key_id, timedelta(hours=overlap_hours))

    click.echo(run(work()))


@key.command()
@store_settings
@click.argument("source")
@click.argument("key_id", metavar="KEY-ID")
def revoke(settings: Settings, source: str, key_id: str) -> None:
    """Refuse a key from now on."""

    async def work() -> None:
        async with opened(settings) as (_, _, catalogue):
            await revoke_key(catalogue, source, key_id)

    run(work())
    click.echo(f"{source} refuses {key_id}.")
