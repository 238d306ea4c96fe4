"""Find a person, and Health: one timeline from all sources, handed out or forgotten; the truth of doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from collector.access import Role
from collector.sources.keys import add_key
from tests.conftest import until

if TYPE_CHECKING:
    from tests.conftest import Running

ADA = "ada@example.com"


@pytest.fixture
async def ada(running: Running) -> Running:
    """A collector that has a page and a call of Ada's, and something of Bob's."""
    await running.add(id="web", name="Shop", privacy={"visitors": "cookie"})
    await running.add(id="crm", name="Sales calls", bridge="rest", channel="CRM")
    page = {
        "type": "page",
        "messageId": "p1",
        "anonymousId": "v-1",
        "userId": "ada",
        "context": {"page": {"path": "/x"}},
    }
    await running.post(
        "web", {"batch": [page, {**page, "messageId": "p2", "userId": "bob", "anonymousId": "v-2"}]}
    )
    key = await add_key(running.parts.catalogue, "crm")
    call = {"userId": "ada", "event": "Call <b>Ended</b>", "context": {"traits": {"email": ADA}}}
    await running.public.post("/v1/track", json=call, headers={"Authorization": f"Bearer {key}"})
    return running


async def found(running: Running, **who: str) -> str:
    answer = await running.submit("/people", who)
    assert answer.status == 200
    return await answer.text()


async def test_one_timeline_has_a_persons_events_of_all_sources(ada: Running) -> None:
    text = await found(ada, user="ada")

    assert text.count('class="entry"') == 2
    assert text.index("Call &lt;b&gt;Ended") < text.index("/x"), "newest first"
    assert ("Sales calls" in text, "Shop" in text, "bob" in text) == (True, True, False)


@pytest.mark.parametrize(
    ("who", "events"), [({"visitor": "v-1"}, 1), ({"email": ADA}, 1), ({"user": "x"}, 0)]
)
async def test_a_person_is_found_by_visitor_and_address_too(
    ada: Running, who: dict[str, str], events: int
) -> None:
    assert (await found(ada, **who)).count('class="entry"') == events


async def test_nobody_named_is_said(running: Running) -> None:
    assert (await running.submit("/people", {})).status == 422


async def test_all_that_is_held_is_handed_out(ada: Running) -> None:
    answer = await ada.submit("/people/export", {"user": "ada"})
    lines = [orjson.loads(line) for line in (await answer.read()).splitlines()]

    assert {line["event"]["type"] for line in lines} == {"page", "track"}
    assert "attachment" in answer.headers["Content-Disposition"]


async def test_a_forgotten_person_is_gone_and_kept_out(ada: Running) -> None:
    answer = await ada.submit("/people/forget", {"user": "ada", "block": "yes"})
    assert "2 events" in (await answer.text()).replace("\u2009", "")

    assert "Nothing is held" in await found(ada, user="ada")
    assert "ada" in ada.parts.catalogue.get("web").enrichment.suppress_visitors
    assert "Nothing is held" not in await found(ada, user="bob")


async def test_who_may_find_and_who_may_forget(ada: Running) -> None:
    await ada.sign_in(Role.VIEWER, "vera")
    assert (await ada.submit("/people", {"user": "ada"})).status == 403
    await ada.sign_in(Role.EDITOR, "ed")
    assert (await ada.submit("/people", {"user": "ada"})).status == 200
    assert (await ada.submit("/people/forget", {"user": "ada"})).status == 403


async def test_health_says_what_doctor_says_and_who_runs(running: Running) -> None:
    await running.post("nothing", {"batch": []})

    async def complete() -> str:
        text = await (await running.console.get("/health")).text()
        return (
            text if "process" in text and "no source was found" in text and "found no source" in text else ""
        )

    text = await until(complete)
    assert "Everything is as it must be." in text
    assert "6.2 or later is needed" in text
    assert "events go to Redis" in text
    assert "no source was found" in text
