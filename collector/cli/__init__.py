"""The ``headwater`` command: parses arguments, calls a room, and says what went wrong in one line."""

from __future__ import annotations

import sys

import click

from collector import __version__
from collector.access import AccessError
from collector.archives import ArchiveError
from collector.cli.account import account, token
from collector.cli.compare import compare_
from collector.cli.doctor import doctor
from collector.cli.email import email
from collector.cli.events import get, send, tail
from collector.cli.group import consume, group_
from collector.cli.import_ import import_
from collector.cli.key import key
from collector.cli.link import link
from collector.cli.people import export, forget
from collector.cli.selftest import selftest
from collector.cli.serve import serve
from collector.cli.sink import sink
from collector.cli.source import snippet, source
from collector.cli.tracker import tracker
from collector.cli.trial import try_  # noqa: F401 - adds itself to `source`
from collector.cli.webhook import replay, webhook
from collector.cli.worker import worker
from collector.doors import DoorError
from collector.enrich.place import PlaceError
from collector.links import LinkError
from collector.logs import configure_logs
from collector.settings import SettingsError
from collector.sinks import SinkError
from collector.sources import SourceError
from collector.store import StoreError

_FAILED = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="headwater")
def cli() -> None:
    """Collect events: a tracker for every source, an answer that means safe, events in Redis streams."""


COMMANDS = (
    serve,
    source,
    key,
    account,
    token,
    link,
    email,
    webhook,
    replay,
    tracker,
    snippet,
    send,
    tail,
    import_,
    compare_,
    get,
    consume,
    group_,
    sink,
    worker,
    forget,
    export,
    doctor,
    selftest,
)
for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command; expected failures are one line on standard error, never a traceback."""
    configure_logs("warning")  # to standard error, since standard output is a command's answer
    try:
        cli()
    except (
        AccessError,
        ArchiveError,
        DoorError,
        LinkError,
        SettingsError,
        SinkError,
        SourceError,
        StoreError,
        PlaceError,
    ) as error:
        click.echo(f"headwater: {error}", err=True)
        sys.exit(_FAILED)
