"""The ``headwater`` command: parses arguments, calls a room, and says what went wrong in one line.

A command is loaded when it is called: all of them together take half a second.
"""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

import click

from collector import __version__
from collector.logs import configure_logs
from collector.model import PlainError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FAILED = 1
# The file of each command, and its name there.
_PLACES = {
    "account": "account.account",
    "compare": "compare.compare_",
    "consume": "group.consume",
    "doctor": "doctor.doctor",
    "email": "email.email",
    "export": "people.export",
    "forget": "people.forget",
    "get": "events.get",
    "group": "group.group_",
    "import": "import_.import_",
    "key": "key.key",
    "link": "link.link",
    "replay": "webhook.replay",
    "selftest": "selftest.selftest",
    "send": "events.send",
    "serve": "serve.serve",
    "sink": "sink.sink",
    "snippet": "source.snippet",
    "source": "trial.source",  # trial adds itself to it
    "tail": "events.tail",
    "token": "account.token",
    "tracker": "tracker.tracker",
    "webhook": "webhook.webhook",
    "worker": "worker.worker",
}


class _Commands(click.Group):
    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_PLACES)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in _PLACES:
            return None
        file, _, attribute = _PLACES[name].partition(".")
        command: click.Command = getattr(import_module(f"collector.cli.{file}"), attribute)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="headwater")
def cli() -> None:
    """Collect events: a tracker for every source, an answer that means safe, events in Redis streams."""


def main() -> None:
    """Run the command; expected failures are one line on standard error, never a traceback."""
    gc.disable()  # until all is loaded: to walk over what stays, again and again, takes a tenth of the start
    configure_logs("warning")  # to standard error, since standard output is a command's answer
    with told():
        cli()


@contextmanager
def told() -> Iterator[None]:
    """Say what goes wrong as expected in one line, and exit."""
    try:
        yield
    except PlainError as error:
        click.ClickException(str(error)).show()
        sys.exit(_FAILED)
