"""``headwater doctor``: look at everything that must be right, and say what to do about what is not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from collector.checkup import Finding, look_at_redis, look_here
from collector.cli.context import run, with_settings
from collector.production import judge_redis, judge_settings
from collector.store import RedisError, StoreError, open_store
from collector.store.connect import check
from collector.wording import why

if TYPE_CHECKING:
    from collector.settings import Settings


@click.command()
@with_settings("data", "redis_url", "partitions", "stream")
@click.option("--strict", is_flag=True, help="Fail on what must not be in production, too.")
def doctor(settings: Settings, *, strict: bool) -> None:
    """Check this installation.

    The exit status tells whether all is right.
    """
    findings = run(_look(settings, strict=strict))
    for finding in findings:
        mark = click.style("ok  ", fg="green") if finding.right else click.style("BAD ", fg="red")
        click.echo(f"{mark} {finding.name:<13} {finding.text}")
    sys.exit(not all(finding.right for finding in findings))


async def _look(settings: Settings, *, strict: bool) -> list[Finding]:
    findings = look_here(settings) + (judge_settings(settings) if strict else [])
    try:
        async with open_store(settings) as redis:
            await check(redis)
            findings += await look_at_redis(redis, settings)
            if strict:
                findings += await judge_redis(redis, settings)
    except StoreError as error:
        findings.append(Finding(right=False, name="redis", text=str(error)))
    except (RedisError, OSError) as error:
        text = f"Redis does not tell how it is set: {why(error)}"
        findings.append(Finding(right=False, name="redis", text=text))
    return findings
