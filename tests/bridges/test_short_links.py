"""Short links: made by people, followed from print and SMS, as safe and as steady as signed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.links import LinkError
from tests.bridges.test_email import SHOP, follow, mail_source
from tests.conftest import holds, run_collector, until
from tests.test_email_commands import headwater

if TYPE_CHECKING:
    from pathlib import Path

    from collector.settings import Settings
    from tests.conftest import Running


async def test_a_short_link_is_recorded_and_redirects_byte_for_byte(running: Running) -> None:
    source = await mail_source(running)
    link = await running.parts.short_links.add(source, SHOP, "Poster at the station")

    answer = await follow(running, link.id)
    event = (await running.events())[0]

    assert (answer.status, answer.headers["Location"]) == (302, SHOP)
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert event["event"] == "Link Clicked"
    assert event["properties"] == {
        "link_id": link.id,
        "link_url": SHOP,
        "link_label": "Poster at the station",
    }
    assert "anonymousId" not in event


async def test_a_short_link_redirects_while_redis_is_away(settings: Settings, tmp_path: Path) -> None:
    """Every link that the collector knew is on local disk."""
    async with run_collector(settings) as running:
        source = await mail_source(running)
        link = await running.parts.short_links.add(source, SHOP)
        await until(lambda: holds(tmp_path / "links.snapshot", link.id))
        await until(lambda: holds(tmp_path / "sources.snapshot", source.id))
    away = settings.model_copy(update={"redis_url": f"unix://{tmp_path}/nothing.sock"})
    async with run_collector(away) as running:
        answer = await follow(running, link.id)

        assert (answer.status, answer.headers["Location"]) == (302, SHOP)


async def test_a_link_made_elsewhere_is_known_at_once(settings: Settings, tmp_path: Path) -> None:
    other = settings.model_copy(update={"data": tmp_path / "other"})
    other.data.mkdir()
    async with run_collector(settings) as here, run_collector(other) as there:
        source = await mail_source(here)
        link = await here.parts.short_links.add(source, SHOP)

        async def found() -> bool:
            return (await follow(there, link.id)).status == 302

        await until(found)
        await here.parts.short_links.remove(link.id)

        async def gone() -> bool:
            return (await follow(there, link.id)).status == 404

        await until(gone)


async def test_a_short_link_is_looked_at_again_when_it_is_followed(running: Running) -> None:
    source = await mail_source(running)
    link = await running.parts.short_links.add(source, SHOP)
    await running.parts.catalogue.change(source.id, {"settings": {"hosts": ["other.example"]}})

    assert (await follow(running, link.id)).status == 404


@pytest.mark.parametrize("change", ["disabled", "removed"])
async def test_what_becomes_of_the_links_of_a_source(running: Running, change: str) -> None:
    """They redirect unrecorded while it is disabled, and end with it."""
    source = await mail_source(running)
    link = await running.parts.short_links.add(source, SHOP)
    if change == "disabled":
        await running.parts.catalogue.change(source.id, {"enabled": False})
    else:
        await running.parts.catalogue.remove(source.id)

    assert (await follow(running, link.id)).status == (302 if change == "disabled" else 404)
    assert await running.events() == []


@pytest.mark.parametrize("name", ["2345678999", "x", "%00", "%ff", "é", "a b", "a" * 500])
async def test_an_unknown_short_link_is_a_page_without_a_link(running: Running, name: str) -> None:
    answer = await follow(running, name)

    assert (answer.status, answer.headers["X-Headwater-Reason"]) == (404, "bad_link")
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("target", "label"),
    [("//evil.example", ""), ("javascript:alert(1)", ""), ("https://10.0.0.1/", ""), (SHOP, "a\nb")],
)
async def test_a_bad_short_link_is_not_made(running: Running, target: str, label: str) -> None:
    source = await mail_source(running)

    with pytest.raises(LinkError):
        await running.parts.short_links.add(source, target, label)


async def test_ids_are_unlike_each_other(running: Running) -> None:
    source = await mail_source(running)
    ids = {(await running.parts.short_links.add(source, SHOP)).id for _ in range(50)}

    assert len(ids) == 50
    assert all(len(each) == 10 for each in ids)


def test_short_links_by_command(settings: Settings) -> None:
    headwater(settings, "source", "add", "--bridge", "email", "--name", "News", "--id", "news")

    made: Any = headwater(settings, "link", "add", "news", SHOP, "--label", "[bold]Flyer")
    name = made.stdout.strip().rpartition("/")[2]
    listed = headwater(settings, "link", "list", "news").output

    assert made.stdout.startswith("http://127.0.0.1:8080/l/")
    assert "public_url is not set" in made.stderr
    assert name in listed
    assert "[bold]Flyer" in listed
    assert headwater(settings, "link", "remove", name, "--yes").exit_code == 0
    assert name not in headwater(settings, "link", "list", "news").output
    assert isinstance(headwater(settings, "link", "remove", name, "--yes").exception, LinkError)


def test_a_short_link_of_another_bridge_or_host_is_refused(settings: Settings) -> None:
    headwater(settings, "source", "add", "--name", "Shop", "--id", "shop")
    hosts = 'hosts=["shop.example"]'
    headwater(settings, "source", "add", "--bridge", "email", "--name", "N", "--id", "news", "--set", hosts)

    assert "email sources" in str(headwater(settings, "link", "add", "shop", SHOP).exception)
    elsewhere = headwater(settings, "link", "add", "news", "https://evil.example/")
    assert "none of the source's hosts" in str(elsewhere.exception)
