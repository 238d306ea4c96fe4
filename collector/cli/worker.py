"""``headwater worker …``: programs that read the stream and add to it."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import click

from collector.cli.context import opened, run, with_settings
from collector.stream.classify import GROUP, Classifier
from collector.stream.consumer import Consumer

if TYPE_CHECKING:
    from collector.settings import Settings


@click.group()
def worker() -> None:
    """Work on what is in the stream."""


@worker.command()
@with_settings("data", "redis_url", "partitions")
@click.option("--stream", default="events", show_default=True, help="Stream that mails' events go to.")
@click.option("--count", default=0, metavar="N", help="Stop once N events are read; 0 goes on until Ctrl-C.")
def classify(settings: Settings, stream: str, count: int) -> None:
    """Find scanners among the clicks on mails, and append an event that corrects each."""
    corrected = run(_classify(settings, stream, count))
    click.echo(f"Corrected {corrected or 0} clicks.")


async def _classify(settings: Settings, stream: str, count: int) -> int:
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
