"""The composition root: builds the rooms, wires them, and gives each its lifetime. Nothing else."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from collector import metrics, recall
from collector.access import Access
from collector.access.gate import Gate
from collector.api import Services, api_application
from collector.bridges.dialects import DialectBridge
from collector.bridges.documents import ClientDocuments
from collector.bridges.email import EmailBridge
from collector.bridges.email_recorder import Recorder
from collector.bridges.imports import ImportBridge
from collector.bridges.queue import QueueBridge
from collector.bridges.request import Reader
from collector.bridges.rest import RestBridge
from collector.bridges.shared_track import SharedTrack
from collector.bridges.tracardi import TracardiBridge
from collector.bridges.web import WebBridge
from collector.bridges.webhook import WebhookBridge
from collector.console import Parts, console_routes, guard, headers
from collector.enrich import JUDGES, STEPS, Enricher, warm_up
from collector.enrich.journeys import Journeys
from collector.enrich.place import Places
from collector.enrich.visitors import Visitors
from collector.health import Health
from collector.limits import Limits
from collector.overload import Overload
from collector.people import Holdings
from collector.pipeline import Pipeline
from collector.ports import Ports
from collector.records import rules_of_bridges
from collector.routes import lean_routes, public_routes, unmatched
from collector.sources import Catalogue
from collector.sources.email import read_journey
from collector.sources.short_links import ShortLinks
from collector.sources.tracker_token import TrackerTokens
from collector.sources.withdrawals import Withdrawals
from collector.stats import Counters, Figures, Quotas
from collector.store import Names, open_store
from collector.store.deliveries import DeliveryLog
from collector.store.mirror import Mirror
from collector.store.people_index import PeopleIndex
from collector.store.queues import QueueStates
from collector.store.salts import Salts
from collector.store.trackers import TrackerArchive
from collector.store.workers import Roll
from collector.stream import RefusedLog, Stream
from collector.stream.feed import Feed
from collector.tasks import every_minute, running
from collector.tracker import TrackerViews

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from collector.lean import LeanRoute
    from collector.settings import Settings
    from collector.store import Redis


@dataclass(frozen=True, slots=True)
class Collector:
    """The running parts that the doors and the command line need to see."""

    settings: Settings
    ports: Ports
    catalogue: Catalogue
    access: Access
    pipeline: Pipeline
    deliveries: DeliveryLog
    short_links: ShortLinks
    withdrawals: Withdrawals
    queues: QueueBridge
    health: Health
    public: web.Application
    lean: list[LeanRoute]
    console: web.Application


@asynccontextmanager
async def collector(settings: Settings) -> AsyncIterator[Collector]:
    """Yield a collector whose rooms are open; on leaving, what waits is committed and all is closed."""
    async with open_store(settings) as redis:
        names = Names(settings.namespace)
        catalogue = Catalogue(redis, names, settings.data / "sources.snapshot")
        await catalogue.load()
        short_links = Mirror(redis, names.short_links, settings.data / "links.snapshot")
        await short_links.load()
        withdrawals = Mirror(redis, names.withdrawals, settings.data / "withdrawals.snapshot")
        await withdrawals.load()
        refused = RefusedLog(redis, names)
        deliveries = DeliveryLog(redis, names)
        counters = Counters(redis, names)
        quotas = Quotas(redis, names)
        roll = Roll(redis, names, lambda: catalogue.seen, metrics.forwarded_ignored)
        salts = Salts(redis, names)
        await salts.refresh(time.time())
        places = Places(settings.place_databases, settings.place_header)
        warm_up()
        journeys = Journeys(partial(read_journey, catalogue.find))
        visitors = Visitors(salts)
        enricher = Enricher(
            steps=(("place", places.step), ("journey", journeys.step), *STEPS),
            judges=(visitors.judge, *JUDGES),
        )
        limits = Limits(settings)
        stream = Stream(redis, names, settings, catalogue.retention)
        await stream.start()
        overload = Overload(settings)
        async with (
            _ending(stream.stop, refused.flush, counters.flush, quotas.flush, roll.leave, deliveries.flush),
            running(catalogue.watch()),
            running(short_links.watch()),
            running(withdrawals.watch()),
            running(refused.run()),
            running(counters.run()),
            running(quotas.run()),
            running(overload.run()),
            running(roll.run()),
            running(deliveries.run()),
            running(salts.run()),
            running(places.run()),
            running(
                every_minute(recall.forget, enricher.forget, visitors.forget, places.forget, limits.forget)
            ),
            running(PeopleIndex(redis, names, from_entries=settings.people_index_from).run()),
        ):
            yield _wire(
                settings,
                redis,
                catalogue,
                Pipeline(
                    catalogue,
                    stream,
                    refused,
                    enricher,
                    counters,
                    limits,
                    quotas,
                    overload,
                    settings,
                    rules_of_bridges(settings),
                ),
                deliveries=deliveries,
                short_links=ShortLinks(short_links),
                withdrawals=Withdrawals(withdrawals),
                roll=roll,
            )


@asynccontextmanager
async def _ending(*steps: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Take these steps on leaving, in order, also when a door could not be opened."""
    try:
        yield
    finally:
        for step in steps:
            await step()


def _wire(
    settings: Settings,
    redis: Redis,
    catalogue: Catalogue,
    pipeline: Pipeline,
    *,
    deliveries: DeliveryLog,
    short_links: ShortLinks,
    withdrawals: Withdrawals,
    roll: Roll,
) -> Collector:
    names = Names(settings.namespace)
    health = Health(pipeline.stream, catalogue)
    tokens = TrackerTokens.of(settings)
    tracker = TrackerViews(pipeline, TrackerArchive(redis, names), tokens)
    reader = Reader(settings, pipeline.limits)
    browser = WebBridge(pipeline, reader, tokens)
    recorder = Recorder(pipeline, reader, withdrawals)
    email = EmailBridge(recorder, browser, short_links)
    tracardi = TracardiBridge(pipeline, reader, deliveries)
    dialects = DialectBridge(pipeline, reader, deliveries)
    public = web.Application()
    public.on_response_prepare.append(_hide_software)
    public.add_routes(
        public_routes(
            settings.path_prefix,
            tracker=tracker,
            browser=browser,
            rest=RestBridge(pipeline, reader, deliveries),
            imports=ImportBridge(pipeline, reader),
            documents=ClientDocuments(pipeline, reader),
            tracardi=tracardi,
            dialects=dialects,
            shared_track=SharedTrack(pipeline, reader, tracardi, dialects),
            webhooks=WebhookBridge(pipeline, reader, deliveries),
            email=email,
            health=health,
            elsewhere=partial(unmatched, pipeline),
        )
    )
    lean = lean_routes(settings.path_prefix, browser=browser, email=email) if settings.lean_paths else []
    ports = Ports(settings.port, settings.console_port)
    access = Access(redis, names, settings)
    gate = Gate(access, settings)
    feed = Feed(redis, names, settings.partitions)
    figures = Figures(redis, names)
    holdings = Holdings(redis, names, catalogue, pipeline.stream.waiting)
    parts = Parts(
        settings,
        ports,
        catalogue,
        gate,
        pipeline,
        feed=feed,
        figures=figures,
        roll=roll,
        deliveries=deliveries,
        holdings=holdings,
    )
    services = Services(
        settings,
        ports,
        catalogue,
        gate,
        pipeline,
        feed,
        figures,
        holdings,
        short_links,
        withdrawals,
        roll,
        deliveries,
    )
    console = _console(parts, services)
    return Collector(
        settings,
        ports,
        catalogue,
        access,
        pipeline,
        deliveries,
        short_links,
        withdrawals,
        QueueBridge(pipeline, QueueStates(redis, names)),
        health,
        public,
        lean,
        console,
    )


def _console(parts: Parts, services: Services) -> web.Application:
    console = web.Application(
        middlewares=[guard(parts.gate)], client_max_size=parts.settings.server_body_bytes
    )
    console.on_response_prepare.append(headers(parts.gate))
    console.on_shutdown.append(parts.close)
    console.add_subapp("/api/v1", api_application(services))
    console.add_routes(console_routes(parts))
    return console


async def _hide_software(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "headwater"
