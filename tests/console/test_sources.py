"""Sources in the console: made, changed, switched and removed, with what is wrong beside its field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from collector.access import Role
from collector.console.fields import (
    bridge_fields,
    enrichment_fields,
    general_fields,
    option_fields,
    privacy_fields,
)
from collector.sources import SETTINGS
from collector.sources.features import PRESETS
from tests.conftest import run_collector, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Running


async def text_of(running: Running, path: str) -> str:
    answer = await running.console.get(path)
    assert answer.status == 200
    return await answer.text()


@pytest.mark.parametrize("bridge", SETTINGS)
async def test_each_bridge_has_a_form_that_makes_a_source_and_leads_to_it(
    running: Running, bridge: str
) -> None:
    assert f'href="/sources/new/{bridge}"' in await text_of(running, "/sources/new")
    empty = fields_of(await text_of(running, f"/sources/new/{bridge}"))
    answer = await running.submit(f"/sources/new/{bridge}", {**empty, "name": "One", "id": "one"})

    assert (answer.status, answer.headers["Location"]) == (303, "/sources/one/install")
    assert running.parts.catalogue.get("one").bridge == bridge


async def test_a_queue_is_asked_first_where_it_is_and_what_to_read(running: Running) -> None:
    first, _, more = (await text_of(running, "/sources/new/queue")).partition("More settings")
    asked = ("broker", "address", "user", "password", "topic", "format")

    assert [name for name in asked if f'name="settings.{name}"' not in first] == []
    assert 'name="settings.group"' in more


WRONG = [
    ("web", {"name": ""}, "f-name-error"),
    ("web", {"name": "x", "settings.origins": "https://a.example\nshop.example"}, "f-settings.origins-error"),
    ("web", {"name": "x", "retention_hours": "long"}, "f-retention_hours-error"),
    ("web", {"name": "x", "id": "Not An Id"}, "f-id-error"),
    ("web", {"name": "x", "id": "taken"}, "f-id-error"),
    ("webhook", {"name": "x", "settings.properties": "{"}, "f-settings.properties-error"),
    ("webhook", {"name": "x", "settings.event": "{nothing.here}"}, "f-settings.event-error"),
]


@pytest.mark.parametrize(("bridge", "fields", "error"), WRONG)
async def test_what_is_wrong_stands_beside_its_field(
    running: Running, bridge: str, fields: dict[str, str], error: str
) -> None:
    await running.add(id="taken")
    empty = fields_of(await text_of(running, f"/sources/new/{bridge}"))
    answer = await running.submit(f"/sources/new/{bridge}", {**empty, **fields})
    text = await answer.text()

    assert answer.status == 422
    assert f'id="{error}"' in text
    assert len(list(running.parts.catalogue)) == 1


def fields_of(text: str) -> dict[str, list[str]]:
    """Return what a browser would send of the first form of a page."""
    form = text[text.index('<form method="post" action="/sources/') :]
    form = form[: form.index("</form>")]
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and (not re.search("checkbox|radio", tag) or " checked" in tag):
            fields.setdefault(name[1], []).append(value[1] if value else "on")
    for name, text_ in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>([^<]*)</textarea>', form):
        fields[name] = [text_.replace("&#34;", '"').replace("&#39;", "'")]
    for name, options in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        fields[name] = re.findall(r'value="([^"]*)" selected', options)
    return fields


@pytest.mark.parametrize("path", ["/sources/new/web", "/sources/one/settings"])
async def test_each_preset_says_what_it_is_for_what_it_weighs_and_what_is_in_it(
    running: Running, path: str
) -> None:
    await running.add(id="one", settings={"preset": "lite"})
    await running.add(id="two", settings={"preset": "core"})
    page = await text_of(running, path)
    labels = dict(zip(PRESETS, re.findall(r'<label class="pick">(.*?)</label>', page), strict=True))
    served = await running.public.get("/s/two.js", headers={"Accept-Encoding": "gzip"}, auto_decompress=False)

    assert "again until they have arrived" in labels["core"]
    assert 'id="f-settings.preset"' in page, "where the summary of what is wrong leads"
    assert f"{len(await served.read()) / 1000:.1f}\u00a0kB" in labels["core"]
    assert "spa, queue" in labels["core"].partition('class="help"')[2]


@pytest.mark.parametrize("bridge", SETTINGS)
async def test_saving_the_form_as_it_is_changes_nothing(running: Running, bridge: str) -> None:
    before = await running.add(id="one", bridge=bridge, tags=["a", "b"])
    sent = fields_of(await text_of(running, "/sources/one/settings"))
    answer = await running.submit("/sources/one/settings", sent)
    after = running.parts.catalogue.get("one")

    assert answer.status == 303, re.findall('class="error"[^<]*<', await answer.text())
    for name in ("name", "tags", "privacy", "enrichment", "settings", "stream", "retention_hours"):
        assert getattr(after, name) == getattr(before, name)


async def test_a_change_reaches_the_collectors_and_the_page_says_so(running: Running) -> None:
    await running.add(id="one")
    sent = fields_of(await text_of(running, "/sources/one/settings"))
    answer = await running.submit("/sources/one/settings", {**sent, "name": "Two", "privacy.scan": "on"})

    assert re.search("taken=1&of=1&ms=", answer.headers["Location"])
    assert "1 of 1 collectors took the change" in await text_of(running, answer.headers["Location"])
    assert running.parts.catalogue.get("one").name == "Two"
    assert running.parts.catalogue.get("one").privacy.scan


async def test_every_collector_is_waited_for(running: Running, tmp_path: Path) -> None:
    other = running.settings.model_copy(update={"data": tmp_path / "other"})
    async with run_collector(other) as second:
        await running.add(id="one")

        async def both() -> bool:
            text = await text_of(running, "/health")
            return text.count(">process ") == 2 and second.parts.catalogue.find("one") is not None

        await until(both)
        answer = await running.submit("/sources/one/enabled", {"enabled": "no"})

        assert "taken=2&of=2&ms=" in answer.headers["Location"]
        assert (await second.post("one", {"batch": [{"type": "page"}]})).status == 403, "at once, everywhere"

    async def alone() -> bool:
        return (await text_of(running, "/health")).count(">process ") == 1

    await until(alone)


async def test_a_change_made_meanwhile_is_not_overwritten(running: Running) -> None:
    await running.add(id="one")
    sent = fields_of(await text_of(running, "/sources/one/settings"))
    await running.parts.catalogue.change("one", {"name": "By somebody else"})
    answer = await running.submit("/sources/one/settings", {**sent, "name": "Two"})

    assert answer.status == 422
    assert "Somebody changed this source" in await answer.text()
    assert running.parts.catalogue.get("one").name == "By somebody else"


async def test_a_secret_is_masked_and_the_mask_keeps_it(running: Running) -> None:
    secret = "whsec_0123456789abcdefghijklmnop"  # noqa: S105 - of a test
    await running.add(id="one", bridge="webhook", settings={"preset": "stripe", "secrets": [secret]})
    text = await text_of(running, "/sources/one/settings")
    assert secret not in text

    await running.submit("/sources/one/settings", fields_of(text))
    assert running.parts.catalogue.get("one").settings.secrets[0].get_secret_value() == secret


async def test_a_source_is_switched_off_and_on(running: Running) -> None:
    await running.add(id="one")
    await running.submit("/sources/one/enabled", {"enabled": "no"})
    assert (await running.post("one", {"batch": [{"type": "page"}]})).status == 403

    await running.submit("/sources/one/enabled", {"enabled": "yes"})
    assert (await running.post("one", {"batch": [{"type": "page"}]})).status == 204


async def test_a_source_is_removed_only_by_its_id(running: Running) -> None:
    await running.add(id="one")
    assert (await running.submit("/sources/one/remove", {"id": "on"})).status == 422
    assert running.parts.catalogue.find("one")

    assert (await running.submit("/sources/one/remove", {"id": "one"})).status == 303
    assert not running.parts.catalogue.find("one")


async def test_a_viewer_changes_nothing(running: Running) -> None:
    await running.add(id="one")
    await running.sign_in(Role.VIEWER, "vera")
    for path in ("/sources/new/web", "/sources/one/settings", "/sources/one/enabled", "/sources/one/remove"):
        answer = await running.submit(path, {"name": "x", "id": "one", "enabled": "no", "version": "1"})
        assert (answer.status, path) == (403, path)

    assert running.parts.catalogue.get("one").version == 1


def test_every_field_of_a_form_has_help() -> None:
    fields = [*general_fields(), *privacy_fields(), *enrichment_fields(), *option_fields()]
    for bridge in SETTINGS:
        fields += bridge_fields(bridge)

    assert [field.path for field in fields if not field.help] == []
