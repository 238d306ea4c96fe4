"""What commands share: settings from flags, and the parts of a collector without its doors."""

from __future__ import annotations

import asyncio
import gc
import getpass
import math
import os
import signal
from contextlib import asynccontextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from collector.settings import Settings, load
from collector.sources import Catalogue
from collector.sources.history import acting
from collector.store import Names, open_store
from collector.store.connect import check

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from collector.store import Redis


COUNT = click.IntRange(min=0)
AT_LEAST_ONE = click.IntRange(min=1)


class Number(click.FloatRange):
    """A number from 0 to the most that is told."""

    name = "number"

    def __init__(self, most: float) -> None:
        super().__init__(0, most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; what is none is neither too small nor too large."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is not a valid number.", param, ctx)
        return number


def with_settings(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command flags for these settings, ``--config``, and the loaded settings as first argument."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(**arguments: Any) -> Any:
            flags = {name: arguments.pop(name) for name in (*names, "config")}
            return command(load(flags), **arguments)

        run = click.option("--config", metavar="FILE", help="TOML file with settings.")(run)
        for name in reversed(names):
            flag = "--" + name.replace("_", "-")
            run = click.option(flag, name, help=Settings.model_fields[name].description)(run)
        return run

    return decorate


def with_confirmation(question: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command ``--yes`` and ``confirm``, to call once it has seen that there is something to do."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(*settings: Settings, yes: bool, **arguments: Any) -> Any:
            def confirm() -> None:
                if not yes:
                    click.confirm(question, abort=True)

            return command(*settings, confirm=confirm, **arguments)

        return click.option("--yes", is_flag=True, help="Confirm the action without prompting.")(run)

    return decorate


def require_redis_streams(settings: Settings) -> None:
    """Say where the events are when Redis, which a command reads, has but the last of them."""
    if settings.stream:
        topic = Names(settings.namespace).topic("events")
        raise click.ClickException(
            f"Kafka keeps the events (stream), and this reads Redis: read the topic {topic} with Kafka's own"
            " clients; docs/kafka.md tells more."
        )


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a command's coroutine; Ctrl-C is a quiet end."""
    gc.freeze()  # what was loaded stays: to walk over it is in vain, and writes to pages that workers share
    gc.enable()
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        return None


def stop_signal() -> asyncio.Event:
    """Return an event that SIGTERM and Ctrl-C set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def use_uvloop() -> None:
    """Run what follows on uvloop."""
    import uvloop  # noqa: PLC0415 - only servers need it, and it takes 20 ms to import

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


def calm_garbage_collection() -> None:
    """Leave out what start-up made: it stays for good, and each walk over it holds every hit up for 40 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)  # hits make few cycles; counting references frees the rest at once


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Redis, Names, Catalogue]]:
    """Yield Redis, the names of its keys and the loaded catalogue. Raises StoreError.

    What is changed meanwhile stands in the history under the name of the shell's user.
    """
    async with open_store(settings) as redis:
        await check(redis)
        names = Names(settings.namespace)
        catalogue = Catalogue(redis, names)
        await catalogue.load()
        with acting(f"{_user()} (shell)"):
            yield redis, names, catalogue


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container the user may have no name
        return f"user {os.getuid()}"


def public_base(settings: Settings) -> str:
    """Return the public door's address for links that leave the house; warn when it is only a guess."""
    if not settings.public_url:
        base = settings.public_address()
        click.echo(
            f"Warning: public_url is not set, so the links lead to {base}, which nobody outside can reach."
            " Set it to the address that people's browsers see.",
            err=True,
        )
    return settings.public_address()
