"""What must not be in production: for ``doctor --strict``, one sentence each, with what to do about it."""

from __future__ import annotations

import ipaddress
import shutil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from collector.checkup import Finding, PartError, require_parser
from collector.sources import Catalogue
from collector.store import Names
from collector.store.trust import syncing, takes_anybody, user_of
from collector.store.workers import Roll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.model import Source
    from collector.settings import Settings
    from collector.store import Redis

_SYNCED = ("always", "everysec")
_GIB = 1024**3
_EMBEDDED = "the embedded server has a socket of its own"


def judge_settings(settings: Settings) -> list[Finding]:
    """Return the findings about the settings, this process and its disk."""
    return [
        _parser(),
        _console(settings),
        _address(settings),
        _rates(settings),
        _ack(settings),
        _disk(settings),
    ]


async def judge_redis(redis: Redis, settings: Settings) -> list[Finding]:
    """Return the findings about Redis and the sources in it. Raises redis.exceptions.RedisError, OSError."""
    names = Names(settings.namespace)
    catalogue = Catalogue(redis, names)
    await catalogue.load()
    findings = [await _syncing(redis), await _user(redis, settings), await _strangers(settings)]
    findings.append(await _proxies(redis, names, settings))
    return findings + [finding for source in catalogue if source.enabled for finding in _source(source)]


def _parser() -> Finding:
    try:
        require_parser()
    except PartError as error:
        return Finding(right=False, name="http parser", text=str(error))
    return Finding(right=True, name="http parser", text="aiohttp is recent enough")


def _console(settings: Settings) -> Finding:
    safe = _is_this_machine(settings.console_host) or settings.console_url.startswith("https://")
    text = f"the console listens on {settings.console_host}"
    hint = ": set console_host to 127.0.0.1, or put a proxy with TLS before it and name it in console_url"
    return Finding(
        right=safe, name="console", text=text if safe else f"{text} and console_url is not https{hint}"
    )


def _address(settings: Settings) -> Finding:
    right = settings.public_url.startswith("https://")
    text = f"public_url is {settings.public_url or 'empty'}"
    hint = "" if right else ": set it to the https address that browsers see, or pages send nothing"
    return Finding(right=right, name="public door", text=text + hint)


def _rates(settings: Settings) -> Finding:
    off = [name for name in ("source_rate", "key_rate", "address_rate") if not getattr(settings, name)]
    text = f"{', '.join(off)} allow any number of hits: set a rate" if off else "each sender has a rate"
    return Finding(right=not off, name="rates", text=text)


def _ack(settings: Settings) -> Finding:
    right = settings.ack != "memory"
    hint = "" if right else ": a crash loses what was acknowledged; set stream or replica"
    return Finding(right=right, name="promise", text=f"ack is {settings.ack}{hint}")


def _disk(settings: Settings) -> Finding:
    """Look whether the spools of all workers fit on the disk."""
    wanted = settings.spool_bytes * settings.workers + settings.spool_free_bytes
    free = shutil.disk_usage(settings.data).free if settings.data.exists() else 0
    text = f"{free / _GIB:.1f} GiB are free under {settings.data}, spools may need {wanted / _GIB:.1f}"
    hint = "" if free >= wanted else ": free some, or lower spool_bytes"
    return Finding(right=free >= wanted, name="disk", text=text + hint)


async def _syncing(redis: Redis) -> Finding:
    policy = await syncing(redis)
    right = policy in _SYNCED
    hint = "" if right else ": set it to always, or to everysec if a second may be lost"
    return Finding(right=right, name="durability", text=f"appendfsync is {policy or 'not told'}{hint}")


async def _user(redis: Redis, settings: Settings) -> Finding:
    """Look whom Redis takes the collector for."""
    if not settings.redis_url:
        return Finding(right=True, name="redis user", text=_EMBEDDED)
    name = await user_of(redis)
    right = name != "default"
    hint = "" if right else ": give the collector one of its own (docs/security.md)"
    text = f"the collector signs in as {name or 'a limited user'}{hint}"
    return Finding(right=right, name="redis user", text=text)


async def _strangers(settings: Settings) -> Finding:
    """Look whether Redis takes somebody who has no password."""
    if not settings.redis_url:
        return Finding(right=True, name="redis door", text=_EMBEDDED)
    if await takes_anybody(settings.redis_url, settings.redis_timeout_seconds):
        text = "Redis takes anybody without a password: set one for its user default, or switch that user off"
        return Finding(right=False, name="redis door", text=text)
    return Finding(right=True, name="redis door", text="Redis takes nobody without a password")


async def _proxies(redis: Redis, names: Names, settings: Settings) -> Finding:
    """Look whether the collectors met X-Forwarded-For while nobody is trusted with it."""
    ignored = sum(row.get("forwarded", 0) for row in await Roll(redis, names, str).call())
    if settings.trusted_proxies or settings.trusted_hops or not ignored:
        return Finding(right=True, name="proxies", text="no X-Forwarded-For is ignored")
    text = f"{ignored:.0f} hits came with X-Forwarded-For and no proxy is trusted: name it in trusted_proxies"
    return Finding(right=False, name="proxies", text=text)


def _source(source: Source) -> Iterator[Finding]:
    """Yield what is wrong with a source, or that nothing is."""
    wrong = [sentence for found, sentence in _judged(source) if found]
    for sentence in wrong or ["is fit for production"]:
        yield Finding(right=not wrong, name="source", text=f"{source.id} {sentence}")


def _judged(source: Source) -> Iterator[tuple[bool, str]]:
    yield "demo" in source.tags, "is the demo's: remove it, or take its tag demo away"
    yield source.transitional, "keeps no event: set transitional to false"
    quota = source.quota_day or source.quota_month
    if source.bridge == "web":
        yield "*" in source.settings.origins, "takes events from any website: name yours in origins"
        yield not quota, "has no quota, and anybody may send to it: set quota_day or quota_month"
    if source.bridge == "webhook":
        form = source.settings.plan.preset.form
        signed = source.settings.plan.secrets or form
        yield not signed, "takes deliveries that nobody has signed: set secrets"
        limited = quota or source.settings.per_minute or source.settings.plan.secrets
        yield not limited, "takes any number of deliveries: set per_minute or quota_day"


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(urlsplit(f"//{host}").hostname or host).is_loopback
    except ValueError:
        return False
