"""``headwater source try``: what would be stored of a hit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import click
import orjson

from collector.cli.context import opened, run
from collector.cli.source import source, store_settings
from collector.enrich import JUDGES, STEPS, Enricher
from collector.enrich.place import Places
from collector.enrich.visitors import Visitors
from collector.model import Refusal
from collector.protocols import native
from collector.store.salts import Salts
from collector.trial import dry_run, read_hit

if TYPE_CHECKING:
    from collector.settings import Settings


@source.command("try")
@store_settings
@click.argument("name")
@click.argument("file", type=click.File("rb"), default="-")
def try_(settings: Settings, name: str, file: BinaryIO) -> None:
    """Show what would be stored of a hit, from FILE or standard input. Nothing is stored.

    The hit is a body as the tracker sends it, or {"body": …, "headers": {…}, "address": "…"}.
    A cookieless visitor's id is a sample: the salts of the collectors are not asked for.
    """
    try:
        reports = run(_try(settings, name, file.read()))
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.reason.code}: {refusal.message}") from None
    click.echo(orjson.dumps(reports, option=orjson.OPT_INDENT_2).decode())


async def _try(settings: Settings, name: str, raw: bytes) -> list[dict[str, Any]]:
    async with opened(settings) as (redis, names, catalogue):
        hit = read_hit(catalogue.get(name), raw)
        places = Places(settings.place_databases, settings.place_header)
        judges = (Visitors(Salts(redis, names)).judge, *JUDGES)
        enricher = Enricher((("place", places.step), *STEPS), judges)
        return dry_run(hit, native.beacon, enricher, settings)
