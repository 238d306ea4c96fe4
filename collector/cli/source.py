"""``headwater source …`` and ``headwater snippet``: sources and the tag to paste."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import orjson
from rich.console import Console
from rich.table import Table

from collector.cli.context import opened, run, with_confirmation, with_settings
from collector.sources import check_form, plain
from collector.sources.statement import statement
from collector.tracker import about_pinning
from collector.tracker import snippet as snippet_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.model import Source
    from collector.settings import Settings
    from collector.sources import Catalogue

store_settings = with_settings("data", "redis_url")
_SETTING = "Setting of the bridge as NAME=VALUE; VALUE is JSON or text. Can be given again."


@click.group()
def source() -> None:
    """Add, show and change sources."""


@source.command()
@store_settings
@click.option("--name", required=True, help="Name that people read.")
@click.option("--id", help="Short name in paths; generated when left out.")
@click.option("--bridge", default="web", show_default=True, help="How the data arrives.")
@click.option("--channel", help="Where the interaction happens; what fits the bridge when left out.")
@click.option("--description", default="", help="What it is for.")
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help=_SETTING)
def add(settings: Settings, *, pairs: tuple[str, ...], **fields: str | None) -> None:
    """Add a source and print its id."""
    given = {name: value for name, value in fields.items() if value is not None}
    form = check_form({**given, "settings": _read_pairs(pairs)})
    made = _with_catalogue(settings, lambda catalogue: catalogue.add(form))
    click.echo(made.id)


@source.command("list")
@store_settings
def list_(settings: Settings) -> None:
    """List all sources."""
    sources = _with_catalogue(settings, _listed)
    if not sources:
        click.echo("There is no source yet. Make one with: headwater source add --name 'My site'", err=True)
        return
    table = Table("id", "name", "channel", "bridge", "enabled", box=None, header_style="bold")
    for each in sources:
        table.add_row(each.id, each.name, each.channel, each.bridge, "yes" if each.enabled else "no")
    Console().print(table)


@source.command()
@store_settings
@click.argument("name")
def show(settings: Settings, name: str) -> None:
    """Print a source as JSON."""
    found = _with_catalogue(settings, _gotten(name))
    fields = {**plain(found), "created": found.created, "updated": found.updated, "version": found.version}
    click.echo(orjson.dumps(fields, option=orjson.OPT_INDENT_2).decode())


@source.command()
@store_settings
@click.argument("name")
def privacy(settings: Settings, name: str) -> None:
    """Print what a source collects and keeps, ready for a privacy page."""
    for heading, sentences in statement(_with_catalogue(settings, _gotten(name))):
        click.echo(f"{heading}\n  {sentences}\n")


@source.command("set")
@store_settings
@click.argument("name")
@click.argument("pairs", nargs=-1, required=True, metavar="NAME=VALUE…")
def set_(settings: Settings, name: str, pairs: tuple[str, ...]) -> None:
    """Change fields of a source.

    Such as: name='My shop' settings.origins='["https://shop.example"]'.
    """
    fields = _read_pairs(pairs)
    _with_catalogue(settings, lambda catalogue: catalogue.change(name, fields))
    click.echo(f"Changed {name}.")


@source.command()
@store_settings
@click.argument("name")
def enable(settings: Settings, name: str) -> None:
    """Take hits again."""
    _with_catalogue(settings, lambda catalogue: catalogue.change(name, {"enabled": True}))
    click.echo(f"{name} takes hits.")


@source.command()
@store_settings
@click.argument("name")
def disable(settings: Settings, name: str) -> None:
    """Refuse all hits from now on."""
    _with_catalogue(settings, lambda catalogue: catalogue.change(name, {"enabled": False}))
    click.echo(f"{name} refuses hits.")


@source.command()
@store_settings
@click.argument("name")
@with_confirmation("Pages that carry its snippet will be refused. Remove it?")
def remove(settings: Settings, name: str, confirm: Callable[[], None]) -> None:
    """Forget a source. Its events stay in the stream."""
    _with_catalogue(settings, _gotten(name))
    confirm()
    _with_catalogue(settings, lambda catalogue: catalogue.remove(name))
    click.echo(f"Removed {name}.")


@click.command()
@with_settings("data", "redis_url", "public_url")
@click.argument("name", metavar="SOURCE")
@click.option("--integrity", is_flag=True, help="Pin the bytes (Subresource Integrity).")
@click.option("--proxy", metavar="PATH", help="Path on your own site that you forward to the collector.")
def snippet(settings: Settings, name: str, *, integrity: bool, proxy: str | None) -> None:
    """Print the tag to paste into a page's <head>.

    Its path has the name, or alias, that is given here.
    """
    if proxy and not proxy.startswith(("/", "https://", "http://")):
        raise click.UsageError(f"--proxy {proxy!r} is no path from the root of your site, such as /in.")
    found = _with_catalogue(settings, _gotten(name))
    base = proxy if proxy is not None else settings.public_address()
    if integrity and (warning := about_pinning(found)):
        click.echo(f"Warning: {warning}", err=True)
    click.echo(snippet_of(found, base, alias=name, integrity=integrity))


def _with_catalogue(settings: Settings, call: Callable[[Catalogue], Any]) -> Any:
    async def work() -> Any:
        async with opened(settings) as (_, _, catalogue):
            return await call(catalogue)

    return run(work())


async def _listed(catalogue: Catalogue) -> list[Source]:
    return list(catalogue)


def _gotten(name: str) -> Callable[[Catalogue], Any]:
    async def get(catalogue: Catalogue) -> Source:
        return catalogue.get(name)

    return get


def _read_pairs(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Return nested fields from ``a.b=value`` pairs."""
    fields: dict[str, Any] = {}
    for pair in pairs:
        path, equals, text = pair.partition("=")
        if not equals:
            raise click.UsageError(f"{pair!r} is not NAME=VALUE.")
        *parents, last = path.split(".")
        place = fields
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = _read_value(text)
    return fields


def _read_value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
