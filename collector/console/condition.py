"""The page Health: what ``doctor`` finds, who runs, the spool, who reads, and the last refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.checkup import Finding, look_at_redis, look_here
from collector.console.advice import advice
from collector.overload import Stage
from collector.render import page
from collector.stats import NOBODY, REPORTS
from collector.store import RedisError
from collector.stream.feed import REFUSED
from collector.wording import why

if TYPE_CHECKING:
    from aiohttp import web

    from collector.console.parts import Parts
    from collector.stream.feed import Entry

_LAST = 30
_SHEDS = {
    Stage.NOBODY: "answers are in time",
    Stage.BOTS: "answers are late: hits of bots are refused",
    Stage.REPEATS: "answers are late: hits of bots and anonymous repeat hits are refused",
    Stage.ALL: "answers are late: all hits are refused",
}


async def condition(parts: Parts, request: web.Request) -> web.Response:
    """Show how the collector is; also while Redis is away."""
    findings, workers, refusals = look_here(parts.settings), [], []
    strays: list[tuple[str, int]] = []
    try:
        findings += await look_at_redis(parts.holdings.redis, parts.settings)
        workers = await parts.roll.call()
        refusals = await parts.feed.last(None, [REFUSED], _LAST)
        strays = (await parts.figures.overview(NOBODY, REPORTS["day"])).tops["reasons"].values
    except (RedisError, OSError) as error:
        text = f"Redis does not answer: {why(error)}. Events are kept on disk meanwhile."
        findings.append(Finding(right=False, name="redis", text=text))
    state = parts.pipeline.stream.state
    return page(
        request,
        "health.html",
        findings=[*findings, *_of_stream(parts)],
        state=state,
        workers=workers,
        strays=strays,
        refusals=[_told(parts, entry) for entry in refusals],
    )


def _of_stream(parts: Parts) -> list[Finding]:
    """Return what the stream itself knows of its safety."""
    state = parts.pipeline.stream.state
    spooling = (
        f"events go to disk: {state.trouble}"
        if state.trouble
        else f"events go to {'Kafka' if parts.settings.stream else 'Redis'}"
    )
    spool = state.refusing or f"{state.spool_events} events wait in the spool, {state.spool_bytes} bytes"
    fresh = parts.catalogue.fresh
    shed = parts.pipeline.overload.stage
    return [
        Finding(right=not state.trouble, name="stream", text=spooling),
        Finding(right=not state.refusing, name="spool", text=spool),
        Finding(right=not shed, name="load", text=_SHEDS[shed]),
        Finding(right=fresh, name="sources", text="live" if fresh else "from the snapshot on disk"),
    ]


def _told(parts: Parts, entry: Entry) -> dict[str, object]:
    means, todo, where = advice(entry.body.get("reason", ""))
    source = parts.catalogue.find(entry.body.get("source", ""))
    return {"entry": entry, "source": source, "means": means, "todo": todo, "where": where}
