"""``headwater compare``: the counts of another system beside ours, for those who move."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import orjson
from rich.console import Console
from rich.table import Table

from collector.archives import FORMATS, Opened
from collector.cli.context import opened, require_redis_streams, run, with_settings
from collector.compare import (
    COUNTS,
    Count,
    Row,
    compare,
    count_export,
    count_numbers,
    count_ours,
    days_of,
)
from collector.model import Refusal
from collector.stats import Figures
from collector.stream.feed import Feed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.model import Source
    from collector.settings import Settings


@click.command("compare")
@with_settings("data", "redis_url", "partitions")
@click.argument("name", metavar="SOURCE")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--format",
    "kind",
    required=True,
    type=click.Choice([*FORMATS, COUNTS]),
    metavar="FORMAT",
    help="As of `import`; or counts: CSV with a day, a number and perhaps a name in each row.",
)
@click.option("--site", default="", metavar="URL", help="Address of the site, for logs that name only paths.")
@click.option("--zone", default="UTC", show_default=True, help="Time zone of the days: Europe/Zurich, …")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def compare_(
    settings: Settings, *, name: str, files: Sequence[str], kind: str, site: str, zone: str, as_json: bool
) -> None:
    """Compare another system's export with a source's events.

    It looks at those that the stream has, by day and kind.
    """
    try:
        days = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise click.UsageError(f"--zone {zone!r} is no time zone.") from None
    rows, unread = run(_compared(settings, name, files, kind=kind, site=site.rstrip("/"), zone=days))
    if as_json:
        click.echo(orjson.dumps(list(map(_object, rows)), option=orjson.OPT_INDENT_2).decode())
    else:
        Console().print(_table(rows))
    if unread:
        click.echo(f"{unread:,} of theirs could not be read; `headwater import` says why.", err=True)


async def _compared(
    settings: Settings, name: str, files: Sequence[str], *, kind: str, site: str, zone: ZoneInfo
) -> tuple[list[Row], int]:
    require_redis_streams(settings)
    async with opened(settings) as (redis, names, catalogue):
        source = catalogue.get(name)
        theirs = _theirs(source, files, kind, site, zone)
        feed = Feed(redis, names, settings.partitions)
        ours = await count_ours(feed.all(source.id, source.streams), zone)
        refused = await Figures(redis, names).reasons(source.id, days_of(theirs))
    named = {_day(day): reasons for day, reasons in refused.items()}
    return compare(theirs, ours, named), theirs.unread


def _theirs(source: Source, files: Sequence[str], kind: str, site: str, zone: ZoneInfo) -> Count:
    whole = Count()
    with ExitStack() as stack:
        for archive in [stack.enter_context(Opened(file)) for file in files]:
            try:
                if kind == COUNTS:
                    count = count_numbers(archive)
                else:
                    count = count_export(archive, FORMATS[kind], source, site, zone)
            except Refusal as refusal:
                raise click.ClickException(f"{archive.name}: {refusal.detail}") from None
            whole.numbers += count.numbers
            whole.unread += count.unread
    return whole


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, header_style="bold")
    for title in ("day", "kind", "theirs", "ours", "difference", "likely reasons"):
        table.add_column(title, justify="right" if title in {"theirs", "ours", "difference"} else "left")
    day = ""
    for row in rows:
        shown = row.day if row.day != day else ""
        day = row.day
        numbers = (f"{row.theirs:,}", f"{row.ours:,}", _percent(row.difference))
        table.add_row(shown, row.kind, *numbers, "; ".join(row.why))
    theirs, ours = sum(row.theirs for row in rows), sum(row.ours for row in rows)
    whole = Row("all", "", theirs, ours, [])
    table.add_row("all", "", f"{theirs:,}", f"{ours:,}", _percent(whole.difference), style="bold")
    return table


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:+.1%}"


def _object(row: Row) -> dict[str, Any]:
    share = row.difference
    return {
        "day": row.day,
        "kind": row.kind,
        "theirs": row.theirs,
        "ours": row.ours,
        "difference": None if share is None else round(share, 4),
        "reasons": row.why,
    }


def _day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
