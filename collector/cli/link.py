"""``headwater link …``: the signing keys of email sources."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from collector.cli.context import opened, run, with_settings
from collector.sources.email import email_source, rotated

if TYPE_CHECKING:
    from collector.settings import Settings

store_settings = with_settings("data", "redis_url")


@click.group()
def link() -> None:
    """Keep the links of mails."""


@link.command()
@store_settings
@click.argument("source")
def rotate(settings: Settings, source: str) -> None:
    """Sign with a new key from now on. Links of the old one work for 13 months more."""

    async def work() -> str:
        async with opened(settings) as (_, _, catalogue):
            found = email_source(catalogue.get(source))
            keys = rotated(found.settings, datetime.now(UTC))
            changed = await catalogue.change(found.id, {"settings": {"keys": keys}})
            return str(changed.settings.keys[0].id)

    click.echo(f"{source} signs with the new key {run(work())}.")
