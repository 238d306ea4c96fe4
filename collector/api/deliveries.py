"""Operations on deliveries: the last ones, once more what was kept, and what became of mails."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from collector.api.errors import ApiError
from collector.api.models import (
    DeliveryList,
    DeliveryView,
    MailReport,
    MailTally,
    Replayed,
    ReplayedList,
)
from collector.api.operation import Call, Reply
from collector.model import Refusal
from collector.replay import replay
from collector.stream.mail_report import report_of

if TYPE_CHECKING:
    from collector.model import Source

_BRIDGES = ("webhook", "rest")


async def list_deliveries(call: Call) -> Reply:
    """List the last deliveries of a webhook or rest source, newest first, with their verdicts."""
    rows = await call.services.deliveries.last(_receiving(call).id, call.query.limit)
    items = [
        DeliveryView(
            entry=row["entry"],
            at=int(row["entry"].partition("-")[0]) / 1000,
            verdict=row.get("verdict", ""),
            reason=row.get("reason", ""),
            ids=row.get("ids", ""),
            kept="raw" in row,
        )
        for row in rows
    ]
    return Reply(DeliveryList(items=items))


async def replay_deliveries(call: Call) -> Reply:
    """Take kept deliveries once more, oldest first; what is in the stream already is not added again."""
    source, services = _receiving(call), call.services
    items = []
    async for entry, became in replay(services.pipeline, services.deliveries, source, set(call.body.entries)):
        if isinstance(became, Refusal):
            items.append(Replayed(entry=entry, verdict="refused", reason=became.reason.code))
        else:
            verdicts = sorted({outcome.verdict for outcome in became})
            items.append(Replayed(entry=entry, verdict=", ".join(verdicts) or "no event", reason=""))
    return Reply(ReplayedList(items=items))


async def report_message(call: Call) -> Reply:
    """Tell what became of a message: opens, clicks and unsubscribes, and how many were people."""
    source, services = call.source, call.services
    if source.bridge != "email":
        raise ApiError(409, f"{source.id!r} is a {source.bridge} source; messages belong to email sources.")
    holdings = services.holdings
    told = await report_of(
        holdings.redis,
        holdings.names,
        source,
        call.path("message"),
        partitions=services.settings.partitions,
    )
    return Reply(
        MailReport(
            opens=MailTally(**asdict(told.opens)),
            clicks=MailTally(**asdict(told.clicks)),
            unsubscribes=told.unsubscribes,
            machines=told.machines,
        )
    )


def _receiving(call: Call) -> Source:
    source = call.source
    if source.bridge not in _BRIDGES:
        raise ApiError(409, f"{source.id!r} is a {source.bridge} source; it has no deliveries.")
    return source
