"""What ``serve`` prints when it is up: where to look, what to paste, how to watch."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.settings import Settings
from collector.tracker import snippet

if TYPE_CHECKING:
    from collector.ports import Ports
    from collector.sources import Catalogue


def show(settings: Settings, ports: Ports, catalogue: Catalogue, invitation: str | None) -> None:
    """Print the addresses, and for the first web source its demo page and snippet.

    ``invitation`` is the secret of the link for the first account, None once there is one.
    """
    public = settings.public_address(ports.public)
    console = settings.console_address(ports.console)
    first = next((source for source in catalogue if source.bridge == "web"), None)
    lines = [("Collecting at", public), ("Console", console)]
    if invitation:
        lines.append(("First account", f"{console}/invitation/{invitation} (works once, for a day)"))
    if first:
        lines += [
            ("Demo page", f"{console}/demo/{first.id}"),
            ("Paste into <head>", snippet(first, public)),
        ]
    else:
        lines.append(("Make a source", f"{_command()} source add --name 'My site'{_where(settings)}"))
    lines += [
        ("Watch events", f"{_command()} tail{_where(settings)}"),
        ("Metrics", f"{console}/metrics"),
        ("Stop", "Ctrl-C"),
    ]
    width = max(len(title) for title, _ in lines)
    for title, text in lines:
        indented = text.replace("\n", "\n" + " " * (width + 2))
        click.echo(f"{click.style(title.ljust(width), bold=True)}  {indented}")
    sys.stdout.flush()


def _where(settings: Settings) -> str:
    """Name the data folder unless it is the usual one: a command starts a server of its own in another."""
    usual = Settings.model_fields["data"].get_default(call_default_factory=True)
    known = settings.redis_url or settings.data == usual
    return "" if known else f" --data {shlex.quote(str(settings.data))}"


def _command() -> str:
    """Name the command as the reader can type it: with its path when it is not on PATH."""
    beside = Path(sys.executable).with_name("headwater")  # a worker was started by another name
    return "headwater" if shutil.which("headwater") else os.path.relpath(beside)
