"""``headwater tracker …``: which version a source serves to whom, and what signs its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from collector.cli.context import opened, run, with_settings
from collector.sources import SourceError
from collector.sources.keys import rotate_signing_key
from collector.store.trackers import TrackerArchive
from collector.tracker import render

if TYPE_CHECKING:
    from collector.model import Source
    from collector.settings import Settings
    from collector.sources import Catalogue

store_settings = with_settings("data", "redis_url")


@click.group()
def tracker() -> None:
    """Show the versions of a tracker, and replace its tokens' key."""


@tracker.command()
@store_settings
@click.argument("name", metavar="SOURCE")
def show(settings: Settings, name: str) -> None:
    """Say who runs which version, and list those remembered."""

    async def work() -> tuple[Source, list[str]]:
        async with opened(settings) as (redis, names, catalogue):
            source = _web(catalogue, name)
            return source, await TrackerArchive(redis, names).digests(source.id)

    source, digests = run(work())
    told = source.settings
    if not source.enabled:
        click.echo("Everybody gets an empty tracker: the source is switched off.")
        return
    rendered = render(source)
    who = f"{told.rollout} % of the visitors" if told.staged else "everybody"
    click.echo(f"{rendered.digest}  {who}, {len(rendered.brotli)} bytes (brotli)")
    for digest in digests:
        if digest != rendered.digest:
            rest = told.staged and digest == told.older
            click.echo(f"{digest}  {'the rest' if rest else 'nobody'}")
    click.echo(_about_token(source))


@tracker.command()
@store_settings
@click.argument("name", metavar="SOURCE")
def rotate(settings: Settings, name: str) -> None:
    """Sign tokens with a new key from now on. Those of the old one count until they end."""

    async def work() -> str:
        async with opened(settings) as (_, _, catalogue):
            return await rotate_signing_key(catalogue, _web(catalogue, name).id)

    click.echo(f"{name} signs with the new key {run(work())}.")


def _about_token(source: Source) -> str:
    told = {
        "off": "It asks for no token.",
        "flag": "Hits without a token of a tracker served lately get a flag.",
        "refuse": "Hits without a token of a tracker served lately are refused.",
    }
    return told[source.settings.token]


def _web(catalogue: Catalogue, name: str) -> Source:
    source = catalogue.get(name)
    if source.bridge != "web":
        raise SourceError(f"{name!r} is a {source.bridge} source; only web sources have a tracker.")
    return source
