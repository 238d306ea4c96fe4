"""``headwater import``: what other systems have kept, into a source."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from collector.app import collector
from collector.archives import FORMATS, ArchiveError, Opened
from collector.archives.importer import LEFT_OUT, Importer
from collector.cli.context import calm_garbage_collection, opened, run, use_uvloop, with_settings
from collector.store.positions import Position, Positions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.archives.importer import Refused
    from collector.settings import Settings

_TOLD = ("stored", "spooled", "checked", "duplicate", LEFT_OUT, "dropped", "refused")
_CHOICES = "\n\n".join(["\b", *(f"{name:<18} {form.about}" for name, form in FORMATS.items())])


@click.command("import", epilog="Formats:\n\n" + _CHOICES.replace("\n\n", "\n"))
@with_settings("data", "redis_url", "partitions")
@click.argument("name", metavar="SOURCE")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--format",
    "kind",
    required=True,
    type=click.Choice(list(FORMATS)),
    metavar="FORMAT",
    help="One of those below.",
)
@click.option("--site", default="", metavar="URL", help="Address of the site, for logs that name only paths.")
@click.option(
    "--refused", type=click.File("ab", lazy=False), metavar="FILE", help="Keep what is refused, one a line."
)
@click.option("--again", is_flag=True, help="Begin anew, whatever was imported before.")
def import_(settings: Settings, *, name: str, files: Sequence[str], refused: Any, **options: Any) -> None:
    """Import archives into a source.

    They are plain, gzip or zstd; - is standard input. Events keep their times. One that was imported before
    is not stored again: the import goes on where it was stopped, and takes what an archive has grown by.
    """
    use_uvloop()
    if vain := run(_import(settings, name, files, keep=_keeper(refused), **options)):
        raise ArchiveError(
            f"All of {', '.join(vain)} was refused, for the reasons above: check the format and the source."
        )


async def _import(
    settings: Settings,
    name: str,
    files: Sequence[str],
    *,
    kind: str,
    site: str,
    again: bool,
    keep: Callable[[Refused], None],
) -> list[str]:
    """Import archives, and return the names of those of which all was refused."""
    vain: list[str] = []
    async with AsyncExitStack() as stack:
        redis, names, catalogue = await stack.enter_async_context(opened(settings))
        source = catalogue.get(name)
        # What cannot be read is told of before anything is taken.
        archives = [stack.enter_context(Opened(file)) for file in files]
        async with collector(settings) as parts:
            calm_garbage_collection()
            positions = Positions(redis, names, source.id)
            for archive in archives:
                importer = Importer(
                    parts.pipeline,
                    positions,
                    parts.catalogue.get(source.id),
                    kind,
                    FORMATS[kind],
                    site=site.rstrip("/"),
                    refused=keep,
                )
                for number in (signal.SIGTERM, signal.SIGINT):
                    asyncio.get_running_loop().add_signal_handler(number, importer.stop)
                position = await _import_one(importer, archive, again=again)
                if set(position.counts) == {"refused"}:
                    vain.append(archive.name)
                if not position.done:
                    break
    return vain


async def _import_one(importer: Importer, archive: Opened, *, again: bool) -> Position:
    """Import an archive, tell of it, and return how far it came."""
    before = None if again else await importer.find(archive)
    begun = before.number if before else 0
    if begun:
        click.echo(f"{archive.name}: goes on after {begun:,}.", err=True)
    counted = sum(before.counts.values()) if before else 0
    with _Progress(archive, importer, counted) as told:
        position = await importer.run(archive, told, again=again)
    click.echo(f"{archive.name}: " + "\n".join(_told(position, " in all" if begun else "")))
    if not position.done:
        click.echo(f"Stopped after {position.number:,}. The same command goes on from there.")
    return position


class _Progress:
    """Show how far an import is, to people who watch."""

    def __init__(self, archive: Opened, importer: Importer, before: int) -> None:
        self._archive = archive
        self._importer = importer
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        screen, watched = Console(stderr=True), sys.stderr.isatty()
        self._screen = Progress(*columns, console=screen, transient=True, disable=not watched)
        self._began, self._before = time.monotonic(), before
        self._task = self._screen.add_task("reading", total=archive.size or None)

    def __enter__(self) -> Callable[[Position], None]:
        self._screen.start()
        return self._tell

    def __exit__(self, *_: object) -> None:
        self._screen.stop()

    def _tell(self, position: Position) -> None:
        done = sum(position.counts.values()) - self._before
        about = f"{done:,} events, {done / (time.monotonic() - self._began):,.0f} a second"
        if self._importer.waiting:
            about += ", waits for Redis"
        self._screen.update(self._task, completed=self._archive.position, description=about)


def _told(position: Position, runs: str) -> list[str]:
    """Return what became of an archive, over all runs, and for each reason where it was met first."""
    parts = [f"{name} {position.counts[name]:,}" for name in _TOLD if position.counts.get(name)]
    reasons = sorted(position.reasons.items(), key=lambda pair: -pair[1][0])
    return [
        (", ".join(parts) or "nothing in it") + runs + ".",
        *(f"  {reason} {times:,}, first in {number:,}: {said}" for reason, (times, number, said) in reasons),
    ]


def _keeper(file: Any) -> Callable[[Refused], None]:
    """Return what writes refused units to a file, if there is one."""

    def keep(refused: Refused) -> None:
        unit, refusal = refused
        raw = unit.raw.decode(errors="replace") if isinstance(unit.raw, bytes) else unit.raw
        row = {"number": unit.number, "reason": refusal.reason.code, "message": refusal.message, "raw": raw}
        file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        file.flush()  # before the position is kept that says it was read

    return keep if file else lambda _refused: None
