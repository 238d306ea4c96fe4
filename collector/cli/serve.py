"""``headwater serve``: the doors, their workers, and a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from typing import TYPE_CHECKING

import click
import structlog
from prometheus_client.multiprocess import mark_process_dead

from collector import tasks
from collector.app import collector
from collector.checkup import PartError, require_parser
from collector.cli import banner
from collector.cli.context import calm_garbage_collection, run, stop_signal, use_uvloop, with_settings
from collector.doors import open_doors
from collector.logs import configure_logs
from collector.settings import PREFIX
from collector.sources import check_form
from collector.store import RedisError, open_store
from collector.store.embedded import end_with_parent

if TYPE_CHECKING:
    from collector.access import Access
    from collector.settings import Settings

log = structlog.get_logger()

_RESTART_SECONDS = 1
_WORKER = f"_{PREFIX}WORKER"


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
    try:
        require_parser()
    except PartError as error:
        raise click.ClickException(str(error)) from None
    if settings.workers > 1 and _WORKER not in os.environ:
        run(_serve_workers(settings, demo=demo))
    else:
        use_uvloop()
        run(_serve_one(settings, demo=demo))


async def _serve_one(settings: Settings, *, demo: bool) -> None:
    stop = stop_signal()
    async with collector(settings) as running:
        if demo and not list(running.catalogue):
            await running.catalogue.add(
                check_form(
                    {
                        "name": "My site",
                        "tags": ["demo"],
                        "settings": {"preset": "typical", "features": ["autocapture"]},
                    }
                )
            )
        first = os.environ.get(_WORKER, "0") == "0"
        async with (
            open_doors(running, shared=_WORKER in os.environ) as ports,
            tasks.running(running.queues.run()) if first else contextlib.nullcontext(),
        ):
            if first:
                banner.show(settings, ports, running.catalogue, await _first_invitation(running.access))
            calm_garbage_collection()
            await stop.wait()
            running.health.draining = True
            log.info("draining")
            await asyncio.sleep(settings.unready_seconds)


async def _first_invitation(access: Access) -> str | None:
    """Return the secret of the link for the first account; the shell makes accounts while Redis is away."""
    with contextlib.suppress(RedisError):
        return await access.invite_first()
    return None


async def _serve_workers(settings: Settings, *, demo: bool) -> None:
    """Run worker processes that share the port, with one embedded server between them."""
    stop = stop_signal()
    with tempfile.TemporaryDirectory(prefix="headwater-metrics-") as folder:
        async with open_store(settings) as redis:
            arguments = redis.connection_pool.connection_kwargs
            url = settings.redis_url or f"unix://{arguments['path']}"
            common = {f"{PREFIX}REDIS_URL": url, "PROMETHEUS_MULTIPROC_DIR": folder}
            keepers = [
                asyncio.create_task(_keep_worker(number, common, demo=demo and number == 0))
                for number in range(settings.workers)
            ]
            await stop.wait()
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)


async def _keep_worker(number: int, common: dict[str, str], *, demo: bool) -> None:
    """Start a worker, and again whenever it ends; on cancel let it drain."""
    environment = {**os.environ, **common, _WORKER: str(number)}
    while True:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "collector", *_same_arguments(demo=demo)),
            env=environment,
            preexec_fn=end_with_parent,
        )
        try:
            await process.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            raise
        mark_process_dead(process.pid, common["PROMETHEUS_MULTIPROC_DIR"])  # type: ignore[no-untyped-call]
        log.error("worker_ended", number=number, status=process.returncode)
        await asyncio.sleep(_RESTART_SECONDS)


def _same_arguments(*, demo: bool) -> list[str]:
    return [argument for argument in sys.argv[1:] if demo or argument != "--demo"]
