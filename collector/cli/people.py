"""``headwater forget`` and ``headwater export``: what is held of one person, removed or handed out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click
import orjson

from collector import __version__
from collector.cli.context import opened, run, with_settings
from collector.protocols.clock import to_iso
from collector.protocols.ids import uuid7
from collector.records import QUARANTINE
from collector.store.people import bury, erase, held
from collector.stream.consumer import DEAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.settings import Settings
    from collector.sources import Catalogue
    from collector.store import Names

_SETTINGS = with_settings("data", "redis_url", "partitions")


def _of_person(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--visitor", help="The visitor's id (anonymousId).")(command)
    return click.option("--user", help="The user's id (userId).")(command)


@click.command()
@_SETTINGS
@_of_person
@click.option("--block", is_flag=True, help="Keep no event of the id from now on, in any source.")
@click.confirmation_option(prompt="What the streams hold of this person will be removed. Go on?")
def forget(settings: Settings, *, user: str | None, visitor: str | None, block: bool) -> None:
    """Remove what the streams hold of a person, and leave a tombstone that consumers must apply."""
    removed = run(_forget(settings, _ids(user, visitor), block=block))
    click.echo(f"Removed {removed} events.")


@click.command()
@_SETTINGS
@_of_person
def export(settings: Settings, *, user: str | None, visitor: str | None) -> None:
    """Print every event that the streams hold of a person, one a line."""
    run(_export(settings, _ids(user, visitor)))


def _ids(user: str | None, visitor: str | None) -> dict[str, str]:
    named = {"userId": user, "anonymousId": visitor}
    ids = {key: value for key, value in named.items() if value}
    if not ids:
        raise click.UsageError("Name the person: --user ID, --visitor ID, or both.")
    return ids


async def _forget(settings: Settings, ids: dict[str, str], *, block: bool) -> int:
    async with opened(settings) as (redis, names, catalogue):
        if block:  # first, so that nothing new comes behind the broom
            for each in list(catalogue):
                listed = {*each.enrichment.suppress_visitors, *ids.values()}
                await catalogue.change(each.id, {"enrichment": {"suppress_visitors": sorted(listed)}})
        streams = _streams(settings, names, catalogue)
        removed = await erase(redis, streams, set(ids.values()))
        await bury(redis, streams, _tombstone(ids))
        return removed


async def _export(settings: Settings, ids: dict[str, str]) -> None:
    async with opened(settings) as (redis, names, catalogue):
        async for each in held(redis, _streams(settings, names, catalogue), set(ids.values())):
            line = {"stream": each.stream, "entry": each.entry, "event": each.event}
            click.echo(orjson.dumps(line).decode())


def _streams(settings: Settings, names: Names, catalogue: Catalogue) -> list[str]:
    """Return the keys of all streams that events go to."""
    used = {"events", QUARANTINE, DEAD, *(stream for each in catalogue for stream in each.streams)}
    return [names.stream(number, stream) for stream in sorted(used) for number in range(settings.partitions)]


def _tombstone(ids: dict[str, str]) -> dict[str, Any]:
    now = time.time_ns() // 1_000_000
    return {
        "messageId": uuid7(now),
        "type": "forget",
        **ids,
        "source": {"id": "headwater"},
        "timestamp": to_iso(now),
        "receivedAt": to_iso(now),
        "collector": {"version": __version__},
    }
