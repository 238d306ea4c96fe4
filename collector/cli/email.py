"""``headwater email …``: make the links of a mail ours, say what became of it, withdraw recipients."""

from __future__ import annotations

import sys
from dataclasses import astuple
from typing import IO, TYPE_CHECKING, Any

import click
import orjson
from rich.console import Console
from rich.table import Table

from collector.cli.context import opened, public_base, run, with_settings
from collector.mails import Tracking, as_json, instrument_many, read_mail, read_recipients
from collector.sources.email import email_source, signer
from collector.sources.withdrawals import Withdrawals
from collector.store.mirror import Mirror
from collector.stream.mail_report import report_of

if TYPE_CHECKING:
    from collector.mails.many import Kind
    from collector.mails.report import Report
    from collector.model import Source
    from collector.settings import Settings


@click.group()
def email() -> None:
    """Prepare mails, and say what became of them."""


@email.command()
@with_settings("data", "redis_url", "public_url")
@click.option("--source", required=True, help="The email source.")
@click.option("--message", required=True, help="Id of the message or campaign.")
@click.option("--recipient", default="", help="Random id or keyed hash of the recipient, no address.")
@click.option(
    "--recipients",
    type=click.File(encoding="utf-8"),
    help="Many: NDJSON or CSV with recipient and, if any, consented. Prints NDJSON, a mail a line.",
)
@click.option("--as", "kind", type=click.Choice(["html", "text", "mime"]), default="html", show_default=True)
@click.option(
    "--parameter", "pairs", multiple=True, metavar="NAME=VALUE", help="Added to links: utm_source=…"
)
@click.option("--unsubscribes", is_flag=True, help="Track unsubscribe links too.")
@click.option("--consented", is_flag=True, help="The recipient has consented to being recorded.")
@click.option("--honeypot", is_flag=True, help="Add a link that people do not see, to find scanners by.")
def instrument(
    settings: Settings,
    *,
    source: str,
    message: str,
    recipient: str,
    recipients: IO[str] | None,
    kind: Kind,
    pairs: tuple[str, ...],
    **choices: Any,
) -> None:
    """Read a mail and print it with tracked links and a pixel.

    It comes on standard input. A whole message gets unsubscribe headers, too.
    """
    if bool(recipient) == bool(recipients):
        raise click.UsageError("Choose one: --recipient ID, or --recipients FILE for many.")
    found: Source = run(_find(settings, source))
    parameters = dict(pair.partition("=")[::2] for pair in pairs)
    tracking = Tracking(
        signer(found),
        public_base(settings),
        message,
        recipient,
        hosts=found.settings.hosts,
        parameters=parameters,
        **choices,
    )
    data = sys.stdin.buffer.read()
    if recipients is None:
        sys.stdout.buffer.write(read_mail(data, kind)(tracking))
        return
    for name, mail in instrument_many(data, kind, tracking, read_recipients(recipients)):
        sys.stdout.buffer.write(orjson.dumps({"recipient": name, **as_json(mail)}) + b"\n")


@email.command("report")
@with_settings("data", "redis_url", "partitions")
@click.option("--source", required=True, help="The email source.")
@click.option("--message", required=True, help="Id of the message or campaign.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def report_(settings: Settings, *, source: str, message: str, as_json: bool) -> None:
    """Count the opens and clicks of a message.

    Of those that the stream still holds: all, by recipients, by people.
    """
    told: Report = run(_report(settings, source, message))
    if as_json:
        click.echo(orjson.dumps(told).decode())
        return
    table = Table("", "total", "unique", "unnamed", "human (estimated)", box=None, header_style="bold")
    for name, tally in (("opens", told.opens), ("clicks", told.clicks)):
        table.add_row(name, *(f"{value}" for value in astuple(tally)))
    Console().print(table)
    click.echo(f"unsubscribes: {told.unsubscribes}")
    for kind, count in sorted(told.machines.items()):
        click.echo(f"by {kind}: {count}")


async def _report(settings: Settings, name: str, message: str) -> Report:
    async with opened(settings) as (redis, names, catalogue):
        source = email_source(catalogue.get(name))
        return await report_of(redis, names, source, message, partitions=settings.partitions)


@email.command()
@with_settings("data", "redis_url")
@click.option("--source", required=True, help="The email source.")
@click.argument("recipients", nargs=-1)
@click.option("--file", type=click.File(), help="Recipients, one a line; - is standard input.")
@click.option("--undo", is_flag=True, help="They have consented anew: record them again.")
def withdraw(
    settings: Settings, *, source: str, recipients: tuple[str, ...], file: IO[str] | None, undo: bool
) -> None:
    """Name these recipients no more, in mails already sent too.

    Their opens and clicks are counted only.
    """
    listed = [*recipients, *(line.strip() for line in file or () if line.strip())]
    if not listed:
        raise click.UsageError("Name recipients, or a --file with one a line.")
    count = run(_withdraw(settings, source, listed, undo=undo))
    click.echo(f"Recorded again: {count}." if undo else f"Named no more: {count}.")


async def _withdraw(settings: Settings, name: str, recipients: list[str], *, undo: bool) -> int:
    async with opened(settings) as (redis, names, catalogue):
        withdrawals = Withdrawals(Mirror(redis, names.withdrawals))
        change = withdrawals.restore if undo else withdrawals.withdraw
        return await change(catalogue.get(name), recipients)


async def _find(settings: Settings, name: str) -> Source:
    async with opened(settings) as (_, _, catalogue):
        return email_source(catalogue.get(name))
