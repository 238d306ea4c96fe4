"""Inbound traffic: every source at a glance, and the way to the first one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Running


async def text_of(running: Running, path: str) -> str:
    answer = await running.console.get(path)
    assert answer.status == 200
    return await answer.text()


async def test_an_empty_console_leads_to_the_first_source(running: Running) -> None:
    text = await text_of(running, "/")

    assert 'href="/sources/new"' in text
    assert "Make the first source" in text


FILTERS = [
    ("", {"shop", "crm"}),
    ("?q=SHOP", {"shop"}),
    ("?bridge=rest", {"crm"}),
    ("?channel=CRM", {"crm"}),
    ("?tag=eu", {"shop"}),
    ("?tag=e", set()),
    ("?q=nothing", set()),
]


@pytest.mark.parametrize(("query", "found"), FILTERS)
async def test_sources_are_found_by_words_bridge_channel_and_tag(
    running: Running, query: str, found: set[str]
) -> None:
    await running.add(id="shop", name="My shop", tags=["eu"])
    await running.add(id="crm", name="Sales", bridge="rest", channel="CRM")
    text = await text_of(running, f"/sources{query}")

    assert {name for name in ("shop", "crm") if f'href="/sources/{name}"' in text} == found


async def test_a_name_is_shown_as_text(running: Running) -> None:
    await running.add(name='<script>alert(1)</script>"')
    text = await text_of(running, "/sources")

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
