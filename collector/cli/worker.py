"""``headwater worker …``: programs that add to the stream, from what is in it or from brokers."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import click

from collector import tasks
from collector.app import collector
from collector.cli.context import (
    COUNT,
    opened,
    require_redis_streams,
    run,
    stop_signal,
    use_uvloop,
    with_settings,
)
from collector.logs import configure_logs
from collector.stream.classify import GROUP, Classifier
from collector.stream.consumer import Consumer

if TYPE_CHECKING:
    from collector.settings import Settings


@click.group()
def worker() -> None:
    """Work beside the doors."""


@worker.command()
@with_settings("data", "redis_url", "partitions")
@click.option("--stream", default="events", show_default=True, help="Stream that mails' events go to.")
@click.option(
    "--count", type=COUNT, default=0, metavar="N", help="Stop once N events are read; 0 goes on until Ctrl-C."
)
def classify(settings: Settings, stream: str, count: int) -> None:
    """Find scanners among the clicks on mails.

    An event that corrects it is appended for each.
    """
    corrected = run(_classify(settings, stream, count))
    click.echo(f"Corrected {corrected or 0} clicks.")


@worker.command()
@with_settings("data", "redis_url", "partitions", "stream", "log_level")
def queues(settings: Settings) -> None:
    """Read the brokers of all queue sources until Ctrl-C.

    Several workers share the messages.
    """
    configure_logs(settings.log_level)
    use_uvloop()
    run(_queues(settings))


async def _queues(settings: Settings) -> None:
    stop = stop_signal()
    async with collector(settings) as parts, tasks.running(parts.queues.run()):
        await stop.wait()


async def _classify(settings: Settings, stream: str, count: int) -> int:
    require_redis_streams(settings)
    async with opened(settings) as (redis, names, _):
        partitions = settings.partitions
        consumer = Consumer(redis, names, GROUP, stream=stream, partitions=partitions)
        classifier = Classifier(redis, names, stream=stream, partitions=partitions)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, consumer.stop)
        done = corrected = 0
        async for batch in consumer:
            corrected += await classifier.take(batch)
            done += len(batch)
            if count and done >= count:
                consumer.stop()
        return corrected
