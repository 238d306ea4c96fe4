"""``python -m benchmarks.files``: tracker, pixel and click link beside nginx's static file and empty_gif.

Needs wrk and nginx. The collector's pixel and link store an event each; nginx's store nothing.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from redis.asyncio import Redis

from benchmarks.contender import SOURCE, headwater, yardstick
from benchmarks.process import cpu_seconds, running
from benchmarks.report import put
from collector.cli.context import opened
from collector.links import Mark
from collector.settings import Settings
from collector.sources import check_form
from collector.sources.email import signer
from collector.store.embedded import embedded_server
from collector.tracker.render import render

if TYPE_CHECKING:
    from benchmarks.contender import Contender

_SECONDS = 4
_CONNECTIONS = 32
_SCRIPT = Path(__file__).parent / "get.lua"


def main() -> None:
    """Print the table and put it on the page."""
    headings = ("what", "who", "own µs a request", "requests a second", "p99 ms")
    put("benchmarks.files", headings, asyncio.run(_run()))


async def _run() -> list[tuple[str, ...]]:
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        async with embedded_server(folder) as url, Redis.from_url(url) as redis:
            await redis.config_set("auto-aof-rewrite-percentage", 0)
            async with headwater(folder, url) as ours, yardstick(folder, url) as theirs:
                link = await _prepared(folder, url)
                pairs = (
                    ("tracker", f"/s/{SOURCE}.js", "/tracker.js"),
                    ("pixel", f"/p/{SOURCE}.gif", "/empty.gif"),
                    ("click link", f"/l/{link}", "/away"),
                )
                return [
                    await _row(what, contender, path)
                    for what, our_path, their_path in pairs
                    for contender, path in ((ours, our_path), (theirs, their_path))
                ]


async def _prepared(folder: Path, redis_url: str) -> str:
    """Put the same tracker into nginx's folder; return a signed link of a new email source."""
    async with opened(Settings(data=folder / "headwater", redis_url=redis_url)) as (_, _, catalogue):
        mails = await catalogue.add(check_form({"id": "mails", "name": "Mails", "bridge": "email"}))
        tracker = catalogue.find(SOURCE)
    if tracker is None:
        raise RuntimeError("the benchmark's source is gone")
    (folder / "nginx" / "tracker.js").write_bytes(render(tracker).body)
    return signer(mails).sign("click", Mark("m1", "r1", 0, "https://shop.example/"))


async def _row(what: str, contender: Contender, path: str) -> tuple[str, ...]:
    address = contender.url.removesuffix(f"/e/{SOURCE}") + path
    wrk = ("wrk", "-t", 1, "-c", _CONNECTIONS, "-d", f"{_SECONDS}s", "-s", _SCRIPT, address)
    before = cpu_seconds(contender.pid)
    async with running(*wrk) as process:
        output, _ = await process.communicate()
    seen = orjson.loads(output.splitlines()[-1])
    if seen["failed"]:
        raise RuntimeError(f"{contender.name}: {seen['failed']} requests for {path} failed")
    own = (cpu_seconds(contender.pid) - before) / seen["hits"] * 1e6
    return (what, contender.name, f"{own:.1f}", f"{seen['hits'] / _SECONDS:,.0f}", f"{seen['p99_ms']:.1f}")


if __name__ == "__main__":
    main()
