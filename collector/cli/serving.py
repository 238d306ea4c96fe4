"""One process that serves: the parts, the doors, and a clean end. Of workers, see ``serve``, each is one."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import click
import structlog

from collector import tasks
from collector.app import collector
from collector.checkup import look_at_servers, require_parser
from collector.cli import banner
from collector.cli.context import calm_garbage_collection, run, stop_signal, use_uvloop
from collector.doors import open_doors
from collector.sources import check_form
from collector.store import RedisError, StoreError, open_store
from collector.store.connect import check
from collector.wording import why

if TYPE_CHECKING:
    from collector.access import Access
    from collector.app import Collector
    from collector.settings import Settings

log = structlog.get_logger()


def serve_one(settings: Settings, *, demo: bool, number: int = 0) -> None:
    """Serve until SIGTERM or Ctrl-C. The first of several workers reads the queues and shows the way."""
    require_parser()
    use_uvloop()
    run(_serve(settings, demo=demo, first=number == 0))


async def _serve(settings: Settings, *, demo: bool, first: bool) -> None:
    stop = stop_signal()
    async with collector(settings) as running:
        if demo and first and not list(running.catalogue):
            await _add_demo(running)
        async with (
            open_doors(running, shared=settings.workers > 1) as ports,
            tasks.running(running.queues.run()) if first else contextlib.nullcontext(),
        ):
            if first:
                await _warn(settings)
                banner.show(settings, ports, running.catalogue, await _first_invitation(running.access))
            calm_garbage_collection()
            await stop.wait()
            running.health.draining = True
            log.info("draining")
            await asyncio.sleep(settings.unready_seconds)


async def _warn(settings: Settings) -> None:
    """Say in one sentence what is wrong with a Redis that is not our own; serving goes on all the same."""
    if not settings.redis_url:
        return
    async with open_store(settings) as redis:
        try:
            await check(redis)
            wrong = [finding.text for finding in await look_at_servers(redis) if not finding.right]
            text = f"Redis is not as it must be: {'; '.join(wrong)}." if wrong else ""
        except StoreError as error:
            text = f"{error} Until then events go to the spool."
        except (RedisError, OSError) as error:
            text = f"Redis does not tell how it is set: {why(error)}."
    if text:
        click.echo(f"Warning: {text}", err=True)


async def _add_demo(running: Collector) -> None:
    preset = {"preset": "typical", "features": ["autocapture"]}
    await running.catalogue.add(check_form({"name": "My site", "tags": ["demo"], "settings": preset}))


async def _first_invitation(access: Access) -> str | None:
    """Return the secret of the link for the first account; the shell makes accounts while Redis is away."""
    with contextlib.suppress(RedisError):
        return await access.invite_first()
    return None
