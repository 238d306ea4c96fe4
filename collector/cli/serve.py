"""``headwater serve``: one process, or workers that share the ports and the memory of what was loaded."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import tempfile
from typing import TYPE_CHECKING

import click
import structlog

from collector.cli import told
from collector.cli.context import run, stop_signal, with_settings
from collector.logs import configure_logs
from collector.store import open_store
from collector.store.embedded import end_with_parent
from collector.tls import trusting_nobody

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess
    from types import ModuleType

    from collector.settings import Settings

log = structlog.get_logger()

_RESTART_SECONDS = 1
_STOPS = (signal.SIGTERM, signal.SIGINT)


@click.command()
@with_settings(
    "host",
    "port",
    "console_host",
    "console_port",
    "public_url",
    "console_url",
    "workers",
    "partitions",
    "data",
    "redis_url",
    "stream",
    "log_level",
)
@click.option("--demo", is_flag=True, help="Create a first web source when there is none.")
def serve(settings: Settings, *, demo: bool) -> None:
    """Start the collector."""
    configure_logs(settings.log_level)
    if settings.workers > 1:
        with tempfile.TemporaryDirectory(prefix="headwater-metrics-") as folder:
            _load(folder)
            run(_keep_all(settings, demo=demo))
    else:
        _serving().serve_one(settings, demo=demo)


def _serving() -> ModuleType:
    """Load what serves. aiohttp makes contexts for its clients meanwhile, and a server calls nobody by them.

    To read the certificates for them takes 40 ms and 2 MiB.
    """
    with trusting_nobody():
        from collector.cli import serving  # noqa: PLC0415
    return serving


def _load(folder: str) -> None:
    """Load what workers need, once for all: they share the memory of what does not change."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # before the metrics are made: they ask for it then
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    _serving()
    from collector.enrich import warm_up  # noqa: PLC0415

    warm_up()
    mark_process_dead(os.getpid())  # type: ignore[no-untyped-call] # its gauges say nothing
    gc.collect()  # or each worker would have what is left of loading


async def _keep_all(settings: Settings, *, demo: bool) -> None:
    """Run the workers, with one embedded server between them, until SIGTERM or Ctrl-C."""
    stop = stop_signal()
    async with open_store(settings) as redis:
        url = settings.redis_url or f"unix://{redis.connection_pool.connection_kwargs['path']}"
        shared = settings.model_copy(update={"redis_url": url})
        keepers = [asyncio.create_task(_keep(shared, n, demo=demo)) for n in range(settings.workers)]
        await stop.wait()
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _keep(settings: Settings, number: int, *, demo: bool) -> None:
    """Start a worker, and again whenever it ends; on cancel let it drain."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - see _load

    while True:
        process = _fork(settings, number, demo=demo)
        try:
            await _end_of(process)
        except asyncio.CancelledError:
            process.terminate()
            await _end_of(process)
            raise
        mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
        log.error("worker_ended", number=number, status=process.exitcode)
        await asyncio.sleep(_RESTART_SECONDS)


def _fork(settings: Settings, number: int, *, demo: bool) -> ForkProcess:
    process = multiprocessing.get_context("fork").Process(target=_work, args=(settings, number, demo))
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)  # until the worker has let go of our handlers
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
    return process


def _work(settings: Settings, number: int, demo: bool) -> None:  # noqa: FBT001 - called by Process
    """Be a worker: a process of its own, with nothing of the parent's but what was loaded."""
    signal.set_wakeup_fd(-1)
    for each in _STOPS:
        signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
    end_with_parent()
    with told():
        _serving().serve_one(settings, demo=demo, number=number)


async def _end_of(process: ForkProcess) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(process.sentinel, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(process.sentinel)
    process.join()
