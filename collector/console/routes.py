"""Every path of the console on one screen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from collector.assets import asset
from collector.console import (
    about,
    account,
    deliveries,
    entry,
    keys,
    live,
    messages,
    new,
    person,
    settings,
    team,
    trying,
)
from collector.console.condition import condition
from collector.console.demo import demo, metrics
from collector.console.inbound import inbound
from collector.console.install import install
from collector.console.overview import overview
from collector.console.tabs import first_tab
from collector.render import see_other

if TYPE_CHECKING:
    from collector.console.parts import Parts


def console_routes(parts: Parts) -> list[web.RouteDef | web.StaticDef]:
    """Return the routes of the console listener."""
    table = [
        ("GET", "/sources", inbound),
        ("GET", "/sources/new", new.choose),
        ("GET", "/sources/new/{bridge}", new.fill_in),
        ("POST", "/sources/new/{bridge}", new.create),
        ("GET", "/sources/{source}", first_tab),
        ("GET", "/sources/{source}/overview", overview),
        ("GET", "/sources/{source}/install", install),
        ("GET", "/sources/{source}/test", trying.ask),
        ("POST", "/sources/{source}/test", trying.test),
        ("GET", "/sources/{source}/live", live.live),
        ("GET", "/sources/{source}/live/feed", live.follow),
        ("GET", "/sources/{source}/deliveries", deliveries.deliveries),
        ("POST", "/sources/{source}/deliveries", deliveries.again),
        ("GET", "/sources/{source}/messages", messages.messages),
        ("GET", "/sources/{source}/keys", keys.keys),
        ("POST", "/sources/{source}/keys", keys.make),
        ("POST", "/sources/{source}/keys/{key}/rotate", keys.rotate),
        ("POST", "/sources/{source}/keys/{key}/revoke", keys.revoke),
        ("POST", "/sources/{source}/signing-keys", keys.rotate_signing),
        ("GET", "/sources/{source}/privacy", about.privacy),
        ("GET", "/sources/{source}/history", about.history),
        ("GET", "/sources/{source}/settings", settings.settings),
        ("POST", "/sources/{source}/settings", settings.save),
        ("POST", "/sources/{source}/enabled", settings.switch),
        ("POST", "/sources/{source}/remove", settings.remove),
        ("GET", "/account", account.account),
        ("POST", "/account/password", account.change_password),
        ("POST", "/account/sessions", account.end_other_sessions),
        ("POST", "/account/sessions/{session}", account.end_session),
        ("POST", "/account/tokens", account.make_token),
        ("POST", "/account/tokens/{token}", account.remove_token),
        ("GET", "/accounts", team.team),
        ("POST", "/accounts", team.invite),
        ("POST", "/accounts/{name}/role", team.change_role),
        ("POST", "/accounts/{name}/remove", team.remove),
        ("POST", "/tokens/{token}/remove", team.remove_token),
        ("GET", "/people", person.ask),
        ("POST", "/people", person.find),
        ("POST", "/people/export", person.hand_out),
        ("POST", "/people/forget", person.remove),
        ("GET", "/health", condition),
        ("GET", "/metrics", metrics),
        ("GET", "/demo/{source}", demo),
        ("GET", "/sign-in", entry.sign_in),
        ("POST", "/sign-in", entry.take_sign_in),
        ("POST", "/sign-out", entry.sign_out),
        ("GET", "/invitation/{secret}", entry.invitation),
        ("POST", "/invitation/{secret}", entry.take_invitation),
    ]
    pages = [web.route(method, path, partial(handler, parts)) for method, path, handler in table]
    return [
        *pages,
        web.get("/", home),
        web.get("/healthz", alive),
        web.static("/static", asset("static")),
    ]


async def alive(_request: web.Request) -> web.Response:
    """Answer that the listener lives; asks nobody else."""
    return web.Response(text="ok\n")


async def home(_request: web.Request) -> web.Response:
    """Lead to the first page."""
    return see_other("/sources")
