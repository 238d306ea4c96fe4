"""``headwater forget`` and ``headwater export``: what is held of one person, removed or handed out."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import click
import orjson

from collector.cli.context import opened, run, with_confirmation, with_settings
from collector.people import Holdings, Person, PersonError
from collector.people import export as all_held
from collector.people import forget as remove_all
from collector.stream.spool import Spool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from collector.people import Forgotten
    from collector.settings import Settings

_SETTINGS = with_settings("data", "redis_url")


def _of_person(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--email", default="", help="An e-mail address, or its SHA-256.")(command)
    command = click.option("--visitor", default="", help="The visitor's id (anonymousId).")(command)
    return click.option("--user", default="", help="The user's id (userId).")(command)


@click.command()
@_SETTINGS
@_of_person
@click.option("--block", is_flag=True, help="Keep no event of the id from now on, in any source.")
@with_confirmation("What is held of this person will be removed. Go on?")
def forget(
    settings: Settings, *, user: str, visitor: str, email: str, block: bool, confirm: Callable[[], None]
) -> None:
    """Remove what is held of a person.

    A tombstone is left that consumers must apply.
    """
    who = _named(user, visitor, email)
    confirm()
    gone = run(_forget(settings, who, block=block))
    click.echo(f"Removed {gone.events} events and {gone.deliveries} kept deliveries.")


@click.command()
@_SETTINGS
@_of_person
def export(settings: Settings, *, user: str, visitor: str, email: str) -> None:
    """Print all that is held of a person, newest first, one a line."""
    run(_export(settings, _named(user, visitor, email)))


def _named(user: str, visitor: str, email: str) -> Person:
    who = Person(user, visitor, email)
    try:
        who.ids  # noqa: B018 - asks whether there is one
    except PersonError:
        raise click.UsageError("Name the person: --user ID, --visitor ID or --email ADDRESS.") from None
    return who


async def _forget(settings: Settings, who: Person, *, block: bool) -> Forgotten:
    async with _holdings(settings) as holdings:
        return await remove_all(holdings, who, block=block, progress=_show)


async def _export(settings: Settings, who: Person) -> None:
    async with _holdings(settings) as holdings:
        async for each in all_held(holdings, who, progress=_show):
            click.echo(orjson.dumps(each).decode())


@asynccontextmanager
async def _holdings(settings: Settings) -> AsyncIterator[Holdings]:
    """Yield all of it, with the spool files of collectors that are gone; the others are in use."""
    async with opened(settings) as (redis, names, catalogue):
        spool = Spool(settings.data / "spool", most_bytes=0, least_free_bytes=0)
        if (settings.data / "spool").exists():
            await spool.adopt()
        try:
            yield Holdings(redis, names, catalogue, spool.records)
        finally:
            await spool.stop()


def _show(done: int, total: int) -> None:
    """Show how far the reading is to whoever watches a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r{min(done, total):,} of {total:,} entries ", nl=False, err=True)
