"""The history of a source, and changes that meet: what was changed by whom, and no change lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from collector.sources import Catalogue, SourceError, StaleError, check_form
from collector.sources.history import acting
from collector.sources.keys import add_key
from collector.store import Names

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from collector.settings import Settings


@pytest.fixture
async def catalogue(redis: Redis, settings: Settings) -> Catalogue:
    return Catalogue(redis, Names(settings.namespace))


async def test_each_change_is_noted_with_who_what_and_the_fields(catalogue: Catalogue) -> None:
    with acting("ada"):
        await catalogue.add(check_form({"id": "shop", "name": "Shop"}))
    with acting("bob"):
        await catalogue.change("shop", {"name": "My shop", "settings": {"aliases": ["s1"]}})
    await catalogue.remove("shop")

    removed, changed, added = await catalogue.history("shop")

    assert [(each.who, each.what, each.version) for each in (added, changed, removed)] == [
        ("ada", "add", 1),
        ("bob", "change", 2),
        ("", "remove", 2),
    ]
    assert {path: (before, after) for path, before, after in changed.fields} == {
        "name": ("Shop", "My shop"),
        "settings.aliases": (None, ["s1"]),
    }
    assert [each.what for each in await catalogue.history("shop", before=changed.entry)] == ["add"]


async def test_secrets_and_digests_of_keys_stay_masked_in_the_history(catalogue: Catalogue) -> None:
    secrets = ["a-secret-of-thirty-characters-1", "a-secret-of-thirty-characters-2"]
    fields = {"id": "hook", "name": "Hook", "bridge": "webhook"}
    await catalogue.add(check_form({**fields, "settings": {"preset": "github", "secrets": secrets[:1]}}))
    await catalogue.change("hook", {"settings": {"secrets": secrets[1:]}})
    await catalogue.add(check_form({"id": "crm", "name": "CRM", "bridge": "rest"}))
    key = await add_key(catalogue, "crm", label="site")

    told = str(await catalogue.history("hook")) + str(await catalogue.history("crm"))

    assert "settings.secrets" in told, "that it was changed is told"
    assert "settings.keys" in told
    for secret in (*secrets, key, catalogue.get("crm").settings.keys[0].digest.get_secret_value()):
        assert secret not in told


async def test_the_history_is_bounded(catalogue: Catalogue, redis: Redis, settings: Settings) -> None:
    await catalogue.add(check_form({"id": "shop", "name": "Shop"}))
    await catalogue.change("shop", {"description": "x" * 1000, "enrichment": {"own_hosts": ["x" * 500] * 10}})
    big = (await catalogue.history("shop", most=1))[0]
    assert ("enrichment.own_hosts", [], "(5031 bytes)") in big.fields
    for number in range(510):
        await redis.xadd(Names(settings.namespace).history("shop"), {"n": number})
    await catalogue.change("shop", {"name": "Last"})

    assert await redis.xlen(Names(settings.namespace).history("shop")) == 500
    assert (await catalogue.history("shop", most=1))[0].fields == [("name", "Shop", "Last")]


async def test_two_collectors_that_change_different_fields_keep_both(
    redis: Redis, settings: Settings
) -> None:
    """One that has not heard of the other's change yet must not write it away."""
    one, other = (Catalogue(redis, Names(settings.namespace)) for _ in range(2))
    await one.add(check_form({"id": "shop", "name": "Shop"}))
    await other.load()

    await one.change("shop", {"name": "My shop"})
    await other.change("shop", {"description": "Sells"})
    await asyncio.gather(*(one.change("shop", {"tags": [f"t{n}"]}) for n in range(5)))

    await other.load()
    found = other.get("shop")
    assert (found.name, found.description, found.version) == ("My shop", "Sells", 8)
    assert one.get("shop").version == 8


async def test_a_change_to_what_has_been_changed_since_is_refused(catalogue: Catalogue) -> None:
    await catalogue.add(check_form({"id": "shop", "name": "Shop"}))
    await catalogue.change("shop", {"name": "My shop"}, version=1)

    with pytest.raises(StaleError):
        await catalogue.change("shop", {"name": "Their shop"}, version=1)
    with pytest.raises(StaleError):
        await catalogue.replace("shop", {"name": "Their shop"}, version=1)
    with pytest.raises(StaleError):
        await catalogue.remove("shop", version=1)

    assert catalogue.get("shop").name == "My shop"


async def test_what_has_been_removed_elsewhere_is_not_brought_back(redis: Redis, settings: Settings) -> None:
    one, other = (Catalogue(redis, Names(settings.namespace)) for _ in range(2))
    await one.add(check_form({"id": "shop", "name": "Shop"}))
    await other.load()
    await one.remove("shop")

    with pytest.raises(SourceError, match="removed"):
        await other.change("shop", {"name": "Back"})


async def test_a_source_written_anew_has_defaults_for_what_is_left_out(catalogue: Catalogue) -> None:
    await catalogue.add(check_form({"id": "shop", "name": "Shop", "description": "Sells", "tags": ["eu"]}))

    replaced = await catalogue.replace("shop", {"name": "Shop", "tags": ["us"]})

    assert (replaced.description, replaced.tags, replaced.version) == ("", ("us",), 2)
