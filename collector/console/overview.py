"""The tab Overview: what came in the last hour, day and week, in charts and lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.console.advice import advice
from collector.console.charts import chart, moment
from collector.console.tabs import tab
from collector.stats import REPORTS

if TYPE_CHECKING:
    from aiohttp import web

    from collector.console.parts import Parts

_LISTS = (
    ("pages", "Top pages", "views"),
    ("events", "Events by name", "events"),
    ("referrers", "Referrers", "views"),
    ("campaigns", "Campaigns", "views"),
    ("countries", "Countries", "events"),
    ("browsers", "Browsers", "events"),
    ("devices", "Devices", "events"),
    ("bots", "Bots", "events"),
    ("reasons", "Refusals by reason", "hits and events"),
)
_TITLES = {"hour": "Last hour", "day": "Last day", "week": "Last week"}


async def overview(parts: Parts, request: web.Request) -> web.Response:
    """Show the numbers of a source."""
    source = parts.source(request)
    report = REPORTS.get(request.query.get("span", ""), REPORTS["day"])
    told = await parts.figures.overview(source.id, report)
    return tab(
        source,
        request,
        "overview",
        told=told,
        report=report,
        spans=_TITLES,
        lists=_LISTS,
        since=moment(told.begin, 60),
        chart=chart(told.points, report.step, ("events",)),
        refusals=chart(told.points, report.step, ("refused",)),
        daily=source.bridge == "web" and source.privacy.visitors == "cookieless",
        advice=advice,
    )
