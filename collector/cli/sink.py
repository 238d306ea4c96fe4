"""``headwater sink``: bring events to where people analyse them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.context import COUNT, opened, require_redis_streams, run, use_uvloop, with_settings
from collector.sinks.registry import open_sink
from collector.sinks.runner import Done, Runner
from collector.stream.consumer import Consumer
from collector.stream.groups import start_group, unread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.settings import Settings
    from collector.sinks import Limits, Sink

_ENTRY = re.compile(r"\d+-\d+")
_LAST_SEQUENCE = 2**64 - 1
_READ_AT_ONCE = 500
_FILE, _VARIABLE = "@", "env:"


@click.command()
@with_settings("data", "redis_url", "partitions")
@click.argument("name")
@click.argument("to")
@click.option(
    "--set",
    "pairs",
    metavar="KEY=VALUE",
    multiple=True,
    help="Option of the sink; @FILE, env:NAME.",
)
@click.option("--group", help="Consumer group; sink-NAME unless told otherwise. One for each target.")
@click.option("--stream", default="events", show_default=True, help="Stream to read.")
@click.option(
    "--from", "start", metavar="WHEN", help="Read anew from oldest, now, an entry id, or a time in ISO 8601."
)
@click.option(
    "--consent", multiple=True, metavar="CATEGORY", help="Write only events that it was granted for."
)
@click.option(
    "--count", type=COUNT, default=0, metavar="N", help="Stop once N events are done; 0 goes on until Ctrl-C."
)
def sink(
    settings: Settings,
    *,
    name: str,
    to: str,
    pairs: Sequence[str],
    group: str | None,
    stream: str,
    start: str | None,
    consent: Sequence[str],
    count: int,
) -> None:
    """Write events to a target, each once.

    It works in batches and goes on where it stopped.
    """
    options = dict(_pair(each) for each in pairs)
    public = {key for key, value in options.items() if not value.startswith((_FILE, _VARIABLE))}
    target = open_sink(name, to, {key: _read(key, value) for key, value in options.items()}, public=public)
    position = _position(start) if start else None
    use_uvloop()
    feed = _Feed(settings, group or f"sink-{name}", stream, count)
    run(feed.run(target, position, consent))


class _Feed:
    """One run of the command."""

    def __init__(self, settings: Settings, group: str, stream: str, count: int) -> None:
        self._settings = settings
        self._group = group
        self._stream = stream
        self._count = count

    async def run(self, target: Sink, position: str | None, consent: Sequence[str]) -> None:
        require_redis_streams(self._settings)
        partitions = self._settings.partitions
        async with opened(self._settings) as (redis, names, _):
            if position:
                await start_group(redis, names, self._stream, partitions, self._group, start=position)
            consumer = Consumer(
                redis,
                names,
                self._group,
                stream=self._stream,
                partitions=partitions,
                most=_READ_AT_ONCE,
                gather=self._enough(target.limits),
            )
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, consumer.stop)

            acknowledged = 0  # before this batch, which still counts as unread

            async def told(done: Done) -> None:
                nonlocal acknowledged
                if self._count and done.events >= self._count:
                    consumer.stop()
                if sys.stderr.isatty():
                    left = await unread(redis, names, self._stream, partitions, self._group)
                    waiting = (
                        "" if left is None else f" {max(0, left - done.events + acknowledged):,} are left. "
                    )
                    click.echo(f"\r{_told(done)}{waiting}", nl=False, err=True)
                acknowledged = done.events

            runner = Runner(consumer, target, consent=consent)
            await runner.run(told)
        click.echo(_told(runner.done))

    def _enough(self, limits: Limits) -> Limits:
        """Return when a batch is full: no later than with the events that are asked for."""
        return replace(limits, events=min(limits.events, self._count)) if self._count else limits


def _told(done: Done) -> str:
    parts = [f"Wrote {done.written:,} events"]
    if done.withheld:
        parts.append(f"withheld {done.withheld:,} without consent")
    if done.dead:
        parts.append(f"set {done.dead:,} aside as dead")
    return ", ".join(parts) + "."


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.UsageError(f"--set {text!r} is not KEY=VALUE.")
    return key, value


def _read(key: str, value: str) -> str:
    """Return what an option says, or what the file or variable holds that it names."""
    if value.startswith(_VARIABLE):
        name = value.removeprefix(_VARIABLE)
        if name not in os.environ:
            raise click.UsageError(f"--set {key}: the environment has no {name}.")
        return os.environ[name]
    if not value.startswith(_FILE):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise click.UsageError(f"--set {key}: {value[1:]} cannot be read: {why}.") from None


def _position(text: str) -> str:
    """Return the entry id after which a group begins."""
    if text in {"oldest", "now"}:
        return "0" if text == "oldest" else "$"
    if _ENTRY.fullmatch(text):
        ms, _, sequence = text.partition("-")
        return f"{ms}-{int(sequence) - 1}" if int(sequence) else _before(int(ms))
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--from {text!r} is none of: oldest, now, an entry id, a time.") from None
    return _before(int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000))


def _before(ms: int) -> str:
    return f"{ms - 1}-{_LAST_SEQUENCE}" if ms > 0 else "0"
