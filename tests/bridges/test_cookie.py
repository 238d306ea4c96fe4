"""The server's cookie: for pages of its own host over HTTPS, when something was kept, never renewed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.sources import SourceError, check_form
from tests.conftest import run_collector

if TYPE_CHECKING:
    from collector.settings import Settings
    from tests.conftest import Running

BOTH_WAYS = True

VIEW = {"batch": [{"type": "page"}]}
SERVER = {"visitors": "cookie", "cookie": "server"}
HOME = {"Host": "shop.example", "Origin": "https://shop.example"}


async def test_a_new_visitor_gets_a_cookie_with_the_events_id(running: Running) -> None:
    source = await running.add(privacy=SERVER)

    answer = await running.post(source.id, VIEW, **HOME)

    [event] = await running.events()
    name, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert name == f"__Host-hw={event['anonymousId']}"
    assert attributes == ["Max-Age=34128000", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"]


async def test_a_known_visitor_keeps_it_and_it_is_not_renewed(running: Running) -> None:
    source = await running.add(privacy=SERVER)

    answer = await running.post(source.id, VIEW, **HOME, Cookie=f"__Host-hw={'a' * 32}")

    [event] = await running.events()
    assert event["anonymousId"] == "a" * 32
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("privacy", "headers"),
    [
        (SERVER, {**HOME, "Origin": "https://other.example"}),
        (SERVER, {**HOME, "Origin": "http://shop.example"}),
        (SERVER, {**HOME, "Sec-GPC": "1"}),
        ({**SERVER, "consent": "required"}, HOME),
        ({"visitors": "cookie"}, HOME),
        ({"cookie": "server"}, HOME),
    ],
)
async def test_nobody_else_gets_a_cookie(running: Running, privacy: Any, headers: dict[str, str]) -> None:
    source = await running.add(privacy=privacy)

    answer = await running.post(source.id, VIEW, **headers)

    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(("hops", "cookies"), [(1, 1), (0, 0)])
async def test_a_trusted_proxy_may_name_the_host_of_the_page(
    settings: Settings, hops: int, cookies: int
) -> None:
    async with run_collector(settings.model_copy(update={"trusted_hops": hops})) as running:
        source = await running.add(privacy=SERVER)

        answer = await running.post(
            source.id, VIEW, **HOME | {"Host": "collect.example", "X-Forwarded-Host": "shop.example"}
        )

    assert len(answer.headers.getall("Set-Cookie", [])) == cookies


async def test_a_forged_cookie_is_no_id(running: Running) -> None:
    source = await running.add(privacy=SERVER)

    await running.post(source.id, VIEW, **HOME, Cookie="__Host-hw=<script>")

    [event] = await running.events()
    assert len(event["anonymousId"]) == 32


def test_no_cookie_can_be_set_by_views_before_consent() -> None:
    with pytest.raises(SourceError, match="before_consent"):
        check_form({"name": "Shop", "privacy": {**SERVER, "consent": "required", "before_consent": "views"}})
