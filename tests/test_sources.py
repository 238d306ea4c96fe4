"""Sources: what may be written, and how a change reaches every collector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.sources import Catalogue, SourceError, check_form
from collector.store import Names
from tests.conftest import holds, run_collector, until

if TYPE_CHECKING:
    from pathlib import Path

    from redis.asyncio import Redis

    from collector.settings import Settings
    from tests.conftest import Running

BAD_FIELDS = [
    ({}, "name"),
    ({"name": ""}, "name"),
    ({"name": "x", "colour": "red"}, "colour"),
    ({"name": "x", "id": "Not An Id"}, "id"),
    ({"name": "x", "id": "a" * 33}, "id"),
    ({"name": "x", "bridge": "pigeon"}, "pigeon"),
    ({"name": "x", "settings": {"origins": ["shop.example"]}}, "shop.example"),
    ({"name": "x", "settings": {"origins": ["https://shop.example/path"]}}, "path"),
    ({"name": "x", "settings": {"sites": ["nobody:1"]}}, "is no site"),
    ({"name": "x", "settings": {"unknown": 1}}, "unknown"),
    ({"name": "x", "settings": {"features": ["teleport"]}}, "teleport"),
    ({"name": "x", "settings": {"preset": "huge"}}, "preset"),
    ({"name": "x", "settings": {"options": {"colour": "red"}}}, "'colour' is no option of the tracker"),
    ({"name": "x", "settings": {"options": {"heartbeat": "often"}}}, "'heartbeat' must be a number"),
    ({"name": "x", "settings": {"options": {"heartbeat": -1}}}, "'heartbeat' must be a number"),
    ({"name": "x", "settings": {"options": {"manual": 1}}}, "'manual' must be true or false"),
    ({"name": "x", "settings": {"options": {"downloads": "x" * 1001}}}, "'downloads' must be text"),
    ({"name": "x", "settings": {"options": {"domains": "a.example"}}}, "'domains' must be a list"),
    (
        {"name": "x", "settings": {"options": {"clean": [["a"]]}}},
        "'clean' must be a list of at most 100 pairs",
    ),
    ({"name": "x", "settings": {"options": {"credentials": "maybe"}}}, "one of: include, omit, same-origin"),
    ({"name": "x", "settings": {"options": {"global": "a b"}}}, "'global' must be a JavaScript name"),
    ({"name": "x", "settings": {"options": {"privacy": "cookie"}}}, "follows from the source's privacy"),
    ({"name": "x", "privacy": {"visitors": "all"}}, "visitors"),
    ({"name": "x", "stream": "a b"}, "stream"),
    ({"name": "x", "retention_hours": 0}, "retention_hours"),
]


@pytest.mark.parametrize(
    ("bridge", "channel"),
    [("web", "Web"), ("rest", "CRM"), ("webhook", "Other"), ("email", "Email"), ("queue", "Other")],
)
def test_a_source_that_names_no_channel_has_one_that_fits_its_bridge(bridge: str, channel: str) -> None:
    assert check_form({"name": "One", "bridge": bridge}).channel == channel
    assert check_form({"name": "One", "bridge": bridge, "channel": "Mobile"}).channel == "Mobile"


@pytest.mark.parametrize(("fields", "named"), BAD_FIELDS)
def test_a_bad_field_is_named_in_one_sentence(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(SourceError) as caught:
        check_form(fields)

    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_source_keeps_every_field_through_redis(redis: Redis, settings: Settings) -> None:
    names = Names(settings.namespace)
    fields = {
        "id": "shop",
        "name": "Shop",
        "description": "The shop's pages",
        "channel": "Mobile",
        "tags": ["a", "b"],
        "stream": "shop",
        "settings": {"origins": ["https://shop.example"], "aliases": ["x1"]},
        "privacy": {"visitors": "cookie"},
    }
    written = await Catalogue(redis, names).add(check_form(fields))

    other = Catalogue(redis, names)
    await other.load()

    assert written == other.get("shop")
    assert written == other.get("x1")


async def test_ids_and_aliases_are_taken_once(redis: Redis, settings: Settings) -> None:
    catalogue = Catalogue(redis, Names(settings.namespace))
    await catalogue.add(check_form({"id": "one", "name": "One", "settings": {"aliases": ["uno"]}}))

    for fields in ({"id": "one"}, {"id": "uno"}, {"id": "two", "settings": {"aliases": ["one"]}}):
        with pytest.raises(SourceError):
            await catalogue.add(check_form({"name": "Two", **fields}))


async def test_a_change_reaches_another_collector(running: Running) -> None:
    """Added, disabled, renamed by alias, removed: each is seen by a collector that did not make it."""
    async with run_collector(running.settings) as other:
        source = await running.add()

        async def status(name: str) -> int:
            return int((await other.post(name, {"batch": []})).status)

        await until(lambda: _is(status(source.id), 204))
        await running.parts.catalogue.change(source.id, {"enabled": False})
        await until(lambda: _is(status(source.id), 403))
        await running.parts.catalogue.change(source.id, {"enabled": True, "settings": {"aliases": ["neu"]}})
        await until(lambda: _is(status("neu"), 204))
        await running.parts.catalogue.remove(source.id)
        await until(lambda: _is(status("neu"), 404))


async def test_an_origin_may_be_copied_from_the_address_bar(running: Running) -> None:
    source = await running.add(settings={"origins": ["https://Shop.example/", "*"]})

    assert source.settings.origins == ("https://shop.example", "*")


async def test_a_change_merges_settings_and_raises_the_version(running: Running) -> None:
    source = await running.add(settings={"origins": ["https://a.example"]})

    changed = await running.parts.catalogue.change(source.id, {"settings": {"aliases": ["alias"]}})

    assert changed.settings.origins == ("https://a.example",)
    assert changed.settings.aliases == ("alias",)
    assert changed.version == source.version + 1
    with pytest.raises(SourceError):
        await running.parts.catalogue.change(source.id, {"id": "other"})


async def test_a_collector_knows_its_sources_while_redis_is_away(settings: Settings, tmp_path: Path) -> None:
    async with run_collector(settings) as running:
        source = await running.add()
        snapshot = settings.data / "sources.snapshot"
        await until(lambda: holds(snapshot, source.id))

    away = settings.model_copy(update={"redis_url": f"unix://{tmp_path}/nothing.sock"})
    async with run_collector(away) as running:
        answer = await running.post(source.id, {"batch": [{"type": "page"}]})

        assert answer.status in {204, 503}
        assert answer.headers.get("X-Headwater-Reason") != "unknown_source"
        assert (await running.public.get(f"/s/{source.id}.js")).status == 200


async def _is(value: Any, expected: Any) -> bool:
    return bool(await value == expected)
