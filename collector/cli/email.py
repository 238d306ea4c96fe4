"""``headwater email …``: make the links, pixel and unsubscribe of a mail ours."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING

import click

from collector.cli.context import opened, public_base, run, with_settings
from collector.links import LinkError
from collector.mails import Tracking, instrument_html, instrument_message, instrument_text
from collector.sources.email import email_source, signer
from collector.sources.withdrawals import Withdrawals
from collector.store.mirror import Mirror

if TYPE_CHECKING:
    from collector.model import Source
    from collector.settings import Settings

_TEXTS = {"html": instrument_html, "text": instrument_text}


@click.group()
def email() -> None:
    """Prepare mails."""


@email.command()
@with_settings("data", "redis_url", "public_url")
@click.option("--source", required=True, help="The email source.")
@click.option("--message", required=True, help="Id of the message or campaign.")
@click.option("--recipient", required=True, help="Random id or keyed hash of the recipient, no address.")
@click.option("--as", "kind", type=click.Choice(["html", "text", "mime"]), default="html", show_default=True)
@click.option(
    "--parameter", "pairs", multiple=True, metavar="NAME=VALUE", help="Added to links: utm_source=…"
)
@click.option("--unsubscribes", is_flag=True, help="Track unsubscribe links too.")
@click.option("--consented", is_flag=True, help="The recipient has consented to being recorded.")
def instrument(
    settings: Settings,
    *,
    source: str,
    message: str,
    recipient: str,
    kind: str,
    pairs: tuple[str, ...],
    unsubscribes: bool,
    consented: bool,
) -> None:
    """Read a mail from standard input and print it with tracked links, a pixel and unsubscribe headers."""
    found: Source = run(_find(settings, source))
    tracking = Tracking(
        signer(found),
        public_base(settings),
        message,
        recipient,
        hosts=found.settings.hosts,
        parameters=dict(pair.partition("=")[::2] for pair in pairs),
        unsubscribes=unsubscribes,
        consented=consented,
    )
    data = sys.stdin.buffer.read()
    if kind == "mime":
        answer = instrument_message(data, tracking)
    else:
        answer = _TEXTS[kind](_text(data), tracking).encode()
    sys.stdout.buffer.write(answer)


@email.command()
@with_settings("data", "redis_url")
@click.option("--source", required=True, help="The email source.")
@click.argument("recipients", nargs=-1)
@click.option("--file", type=click.File(), help="Recipients, one a line; - is standard input.")
@click.option("--undo", is_flag=True, help="They have consented anew: record them again.")
def withdraw(
    settings: Settings, *, source: str, recipients: tuple[str, ...], file: IO[str] | None, undo: bool
) -> None:
    """Name these recipients no more, in mails already sent too: opens and clicks are counted only."""
    listed = [*recipients, *(line.strip() for line in file or () if line.strip())]
    if not listed:
        raise click.UsageError("Name recipients, or a --file with one a line.")
    count = run(_withdraw(settings, source, listed, undo=undo))
    click.echo(
        f"{count} recipients are recorded again." if undo else f"{count} recipients are named no more."
    )


async def _withdraw(settings: Settings, name: str, recipients: list[str], *, undo: bool) -> int:
    async with opened(settings) as (redis, names, catalogue):
        withdrawals = Withdrawals(Mirror(redis, names.withdrawals))
        change = withdrawals.restore if undo else withdrawals.withdraw
        return await change(catalogue.get(name), recipients)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise LinkError("The mail is not UTF-8; give it as a whole message with --as mime.") from None


async def _find(settings: Settings, name: str) -> Source:
    async with opened(settings) as (_, _, catalogue):
        return email_source(catalogue.get(name))
