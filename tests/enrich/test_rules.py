"""Rules, schemas, suppression lists and the dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as no_deadline
from hypothesis import strategies as st

from collector.enrich import JUDGES, enrich_context
from collector.enrich.rules import judge, matching
from collector.model import OPTIONAL_STEPS, Enrichment, Event, Refusal, Rule
from collector.sources import SourceError, check_form
from tests.conftest import hit, web_source
from tests.enrich.command import headwater

if TYPE_CHECKING:
    from tests.conftest import Running

ORDER = {
    "type": "track",
    "event": "Order Completed",
    "properties": {"plan": "free", "total": 5},
    "context": {"page": {"url": "https://shop.example/admin/orders"}},
}


def _event(**fields: Any) -> Event:
    message = {"context": {"page": {"url": "https://shop.example/admin/orders"}}, **ORDER, **fields}
    return Event(0, "m1", str(message["type"]), "v1", message)


@pytest.mark.parametrize(
    ("fields", "matches"),
    [
        ({}, True),
        ({"type": "track"}, True),
        ({"type": "page"}, False),
        ({"event": "order completed"}, True),
        ({"event": "Order*"}, True),
        ({"event": "Order"}, False),
        ({"url": "https://shop.example/admin/*"}, True),
        ({"url": "/admin/*"}, False),
        ({"properties": {"plan": "free"}}, True),
        ({"properties": {"plan": "free", "total": 6}}, False),
        ({"channel": "Web"}, True),
        ({"channel": "Mobile"}, False),
        ({"bot": "any"}, False),
        ({"type": "track", "event": "Order*", "channel": "Mobile"}, False),
    ],
)
def test_a_rule_matches_when_all_its_fields_do(fields: dict[str, Any], matches: bool) -> None:
    assert (matching((Rule("r", **fields),), _event(), hit()) is not None) is matches


def test_a_rule_for_bots_matches_their_kind() -> None:
    event = _event(context={"bot": {"is": True, "kind": "ai"}})

    assert matching((Rule("r", bot="ai"),), event, hit())
    assert matching((Rule("r", bot="any"),), event, hit())
    assert not matching((Rule("r", bot="search"),), event, hit())


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"rename": "Bought"}, {"event": "Bought"}),
        ({"set": {"properties.plan": "paid"}}, {"properties": {"plan": "paid", "total": 5}}),
        ({"set": {"traits.seen.by": True}}, {"traits": {"seen": {"by": True}}}),
        ({"remove": ["properties.total", "properties.none"]}, {"properties": {"plan": "free"}}),
        ({"sample": 0.999999}, {"sampleRate": 0.999999}),
    ],
)
async def test_a_rule_changes_the_event(running: Running, rule: dict[str, Any], told: dict[str, Any]) -> None:
    source = await running.add(enrichment={"rules": [{"name": "r", **rule}]})

    await running.post(source.id, {"batch": [ORDER]})

    [event] = await running.events()
    assert told == {key: event.get(key, event["context"].get(key)) for key in told}


async def test_the_first_matching_rule_counts(running: Running) -> None:
    rules = [{"name": "first", "event": "Order*", "rename": "A"}, {"name": "second", "rename": "B"}]
    source = await running.add(enrichment={"rules": rules})

    await running.post(source.id, {"batch": [ORDER]})

    assert [event["event"] for event in await running.events()] == ["A"]


async def test_a_rule_drops_routes_and_is_changed_live(running: Running) -> None:
    source = await running.add(enrichment={"rules": [{"name": "r", "stream": "orders"}]})
    await running.post(source.id, {"batch": [ORDER]})
    await running.parts.catalogue.change(source.id, {"enrichment": {"rules": [{"name": "r", "drop": True}]}})

    answer = await running.post(source.id, {"batch": [ORDER]})

    assert answer.status == 204
    assert len(await running.events("orders")) == 1
    assert await running.events() == []


def test_a_change_of_one_event_leaves_the_shared_context_alone() -> None:
    shared = {"page": {"url": "https://shop.example/"}}
    source = web_source(enrichment=Enrichment(rules=(Rule("r", event="A", set={"context.page.url": "x"}),)))
    first, second = _event(event="A", context=shared), _event(event="B", context=shared)

    for event in (first, second):
        judge(event, hit(source=source))

    assert first.message["context"]["page"]["url"] == "x"
    assert second.message["context"]["page"]["url"] == "https://shop.example/"


def test_sampling_keeps_visitors_whole_and_about_as_many_as_asked() -> None:
    source = web_source(enrichment=Enrichment(rules=(Rule("r", sample=0.25),)))

    def kept(visitor: str) -> bool:
        return judge(Event(0, "m", "track", visitor, {"context": {}}), hit(source=source)) is None

    visitors = [f"visitor {number}" for number in range(4000)]
    assert [kept(each) for each in visitors] == [kept(each) for each in visitors]
    assert 800 < sum(map(kept, visitors)) < 1200


@pytest.mark.parametrize(
    ("enrichment", "named"),
    [
        ({"rules": [{"name": "r", "sample": 2}]}, "rules.0.sample"),
        ({"rules": [{"name": "r", "set": {"source.id": "x"}}]}, "rules.0.set"),
        ({"rules": [{"name": "r", "color": "red"}]}, "rules.0.color"),
        ({"schemas": {"A": {"type": "objekt"}}}, "schemas.A"),
        ({"schemas": {"A": {"$ref": "http://127.0.0.1:1/x.json"}}}, "schemas.A"),
        ({"schemas": {"A": {"$ref": "file:///etc/passwd"}}}, "schemas.A"),
        ({"suppress_addresses": ["10.0.0.0/99"]}, "suppress_addresses"),
    ],
)
def test_what_cannot_work_is_refused_by_name(enrichment: Any, named: str) -> None:
    with pytest.raises(SourceError, match=named):
        check_form({"name": "Shop", "enrichment": enrichment})


SCHEMA = {
    "type": "object",
    "required": ["total"],
    "properties": {"total": {"type": "number"}, "mail": {"type": "number"}},
}
WRONG = {"type": "track", "event": "Order", "properties": {"total": "5", "mail": "jane@mail.example"}}


async def test_a_payload_that_does_not_fit_is_refused_with_its_path(running: Running) -> None:
    source = await running.add(enrichment={"schema_mode": "refuse", "schemas": {"Order": SCHEMA}})

    answer = await running.post(source.id, {"batch": [WRONG, {"type": "track", "event": "Other"}]})

    [outcome] = [each for each in (await answer.json())["events"] if each["outcome"] == "refused"]
    assert outcome["reason"] == "schema"
    assert "/total" in outcome["message"]
    assert "jane" not in outcome["message"]
    assert [event["event"] for event in await running.events()] == ["Other"]


async def test_a_payload_that_does_not_fit_is_flagged(running: Running) -> None:
    source = await running.add(enrichment={"schema_mode": "flag", "schemas": {"Order": SCHEMA}})

    await running.post(source.id, {"batch": [WRONG, {**WRONG, "properties": {"total": 5}}]})

    wrong, right = await running.events()
    assert {error["path"] for error in wrong["context"]["schemaErrors"]} == {"/total", "/mail"}
    assert "schemaErrors" not in right["context"]


async def test_a_changed_schema_counts_from_the_next_event(running: Running) -> None:
    source = await running.add(enrichment={"schema_mode": "refuse", "schemas": {"Order": SCHEMA}})
    await running.post(source.id, {"batch": [WRONG]})
    await running.parts.catalogue.change(source.id, {"enrichment": {"schemas": {"Order": {}}}})

    await running.post(source.id, {"batch": [WRONG]})

    assert len(await running.events()) == 1


@pytest.mark.parametrize(
    "lists",
    [
        {"suppress_addresses": ["127.0.0.0/8"]},
        {"suppress_visitors": ["u1"]},
        {"suppress_paths": ["/admin/*"]},
        {"suppress_referrers": ["*.spam.example"]},
    ],
)
async def test_what_stands_on_a_list_is_not_kept(running: Running, lists: dict[str, Any]) -> None:
    source = await running.add(enrichment=lists)
    page = {"url": "https://shop.example/admin/x", "referrer": "https://www.spam.example/a"}

    answer = await running.post(
        source.id, {"batch": [{"type": "page", "userId": "u1", "context": {"page": page}}]}
    )

    assert answer.status == 204
    assert await running.events() == []


async def test_what_stands_on_no_list_is_kept(running: Running) -> None:
    source = await running.add(enrichment={"suppress_addresses": ["10.0.0.0/8"], "suppress_paths": ["/a"]})

    await running.post(source.id, {"batch": [ORDER]})

    assert len(await running.events()) == 1


async def test_the_dry_run_shows_every_part_and_stores_nothing(running: Running) -> None:
    rules = [{"name": "Free orders", "event": "Order*", "rename": "Free", "stream": "free"}]
    source = await running.add(enrichment={"rules": rules})
    written = {
        "body": {"batch": [ORDER, {"type": "x"}]},
        "headers": {"user-agent": "curl/8"},
        "address": "1.2.3.4",
    }

    status, out = await headwater(running.settings, "source", "try", source.id, given=orjson.dumps(written))

    assert status == 0
    first, second = orjson.loads(out)
    assert (first["outcome"], first["stream"], first["stored"]["event"]) == ("stored", "free", "Free")
    assert first["steps"]["bots"]["bot"]["name"] == "curl"
    assert first["judges"][-1] == {"judge": "rules", "rule": "Free orders", "changed": {"event": "Free"}}
    assert (second["outcome"], second["reason"]) == ("refused", "unknown_type")
    assert await running.events() == await running.events("free") == []


async def test_the_statement_of_a_source_is_printed(running: Running) -> None:
    source = await running.add(privacy={"preset": "cnil"}, settings={"features": ["privacy"]})

    status, out = await headwater(running.settings, "source", "privacy", source.id)

    assert status == 0
    assert b"destroyed after two days" in out
    assert b"CNIL" in out
    assert b"A link on the website" in out


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.text(max_size=9)
    | st.sampled_from(["http://[::1", "a@b.cc"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    *(
        "page",
        "campaign",
        "referrer",
        "userAgent",
        "userAgentData",
        "device",
        "browser",
        "os",
        "bot",
        "locale",
    ),
    *("ip", "consent", "automation", "redacted", "timezone", "traits", "url", "brand", "clickIds"),
)
CONTEXTS = st.dictionaries(
    st.sampled_from(KEYS), ANYTHING | st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=4), max_size=8
)
EVERYTHING = Enrichment(
    bots="separate", own_hosts=("a.example",), suppress_paths=("/x*",), suppress_referrers=("y",),
    suppress_addresses=("10.0.0.0/8",), suppress_visitors=("v",),
    rules=(Rule("r", event="A*", url="*b*", bot="any"), Rule("s", set={"context.page.url": 1})),
)  # fmt: skip


@given(CONTEXTS, st.sampled_from(["web", "rest"]), st.sets(st.sampled_from(OPTIONAL_STEPS)))
@no_deadline(deadline=None)
def test_no_context_of_the_street_is_a_fault(context: dict[str, Any], bridge: str, off: set[str]) -> None:
    settings = Enrichment(
        **{name: getattr(EVERYTHING, name) for name in Enrichment.__slots__} | {"off": tuple(off)}
    )
    street = hit(
        source=web_source(bridge=bridge, enrichment=settings), headers={"User-Agent": "A"}, address="x"
    )
    event = _event(context=enrich_context(context, street))

    refusals = [each(event, street) for each in JUDGES]

    assert all(refusal is None or isinstance(refusal, Refusal) for refusal in refusals)
    orjson.dumps(event.message)
