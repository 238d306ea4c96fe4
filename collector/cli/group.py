"""``headwater consume`` and ``headwater group …``: read events through a group, and look after groups."""

from __future__ import annotations

import asyncio
import errno
import signal
import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from collector.cli.context import (
    AT_LEAST_ONE,
    COUNT,
    opened,
    require_redis_streams,
    run,
    with_confirmation,
    with_settings,
)
from collector.stream.consumer import Consumer, Delivery
from collector.stream.groups import Group, drop_group, list_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.settings import Settings

store_settings = with_settings("data", "redis_url", "partitions")
_STREAM = click.option("--stream", default="events", show_default=True, help="Stream to read.")


@click.command()
@store_settings
@click.option("--group", required=True, help="Consumer group; made when it is new, from the oldest event on.")
@_STREAM
@click.option(
    "--exec", "program", metavar="CMD", help="Run for each batch, with its events on standard input."
)
@click.option(
    "--ndjson", is_flag=True, help="Print events, one a line; each batch counts as done once written."
)
@click.option(
    "--most",
    type=AT_LEAST_ONE,
    default=100,
    show_default=True,
    help="Most events of a partition in one batch.",
)
@click.option(
    "--count", type=COUNT, default=0, metavar="N", help="Stop once N events are done; 0 goes on until Ctrl-C."
)
def consume(
    settings: Settings, *, group: str, stream: str, program: str | None, ndjson: bool, most: int, count: int
) -> None:
    """Give events to a program, in batches.

    A batch is acknowledged when the program exits with 0, else delivered again.
    """
    if bool(program) == ndjson:
        raise click.UsageError("Choose one: --exec CMD or --ndjson.")
    sys.exit(run(_consume(settings, group, stream, program=program, most=most, count=count)))


@click.group("group")
def group_() -> None:
    """Show and drop consumer groups."""


@group_.command("list")
@store_settings
@_STREAM
def list_(settings: Settings, stream: str) -> None:
    """List the groups of a stream with what they have still to read."""
    table = Table("group", "partition", "unread", "waits", box=None, header_style="bold")
    for each in run(_listed(settings, stream)):
        lag = "?" if each.lag is None else f"{each.lag}"
        table.add_row(each.name, f"{each.partition}", lag, f"{each.age:.0f} s")
    Console().print(table)


@group_.command()
@store_settings
@_STREAM
@click.argument("name")
@with_confirmation("What it has not read may then be forgotten. Drop it?")
def drop(settings: Settings, stream: str, name: str, confirm: Callable[[], None]) -> None:
    """Forget a group, so that it holds nothing back any more."""
    if all(each.name != name for each in run(_listed(settings, stream))):
        raise click.ClickException(f"No group of {stream} is called {name!r}.")
    confirm()
    run(_dropped(settings, stream, name))
    click.echo(f"Dropped {name}.")


async def _consume(
    settings: Settings, group: str, stream: str, *, program: str | None, most: int, count: int
) -> int:
    require_redis_streams(settings)
    async with opened(settings) as (redis, names, _):
        consumer = Consumer(redis, names, group, stream=stream, partitions=settings.partitions, most=most)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, consumer.stop)
        done = 0
        async for batch in consumer:
            status = await _hand_over(batch, program)
            if status:
                who = program or "The reader"
                click.echo(f"Error: {who} ended with {status}; its batch will be delivered again.", err=True)
                return 1
            done += len(batch)
            if count and done >= count:
                consumer.stop()
    return 0


async def _hand_over(batch: Sequence[Delivery], program: str | None) -> int:
    lines = b"".join(delivery.event + b"\n" for delivery in batch)
    if program is None:
        try:
            sys.stdout.buffer.write(lines)
            sys.stdout.flush()
        except BrokenPipeError:
            sys.stdout = None  # Python would complain of it once more at its end
            return errno.EPIPE
        return 0
    process = await asyncio.create_subprocess_shell(
        program,
        stdin=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us: the batch at hand is finished first
    )
    await process.communicate(lines)
    return process.returncode or 0


async def _listed(settings: Settings, stream: str) -> list[Group]:
    require_redis_streams(settings)
    async with opened(settings) as (redis, names, _):
        return [
            group
            for partition in range(settings.partitions)
            for group in await list_groups(redis, names, stream, partition)
        ]


async def _dropped(settings: Settings, stream: str, name: str) -> None:
    async with opened(settings) as (redis, names, _):
        await drop_group(redis, names, stream, settings.partitions, name)
