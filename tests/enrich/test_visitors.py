"""Who an event may be about: the privacy modes, the signals, consent, and the salts of the days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.enrich.visitors import Visitors, objection
from collector.model import Event, Privacy, Source
from collector.sources import SourceError, check_form
from collector.sources.form import dump, load, to_source
from collector.store import Names
from collector.store.salts import Salts
from tests.conftest import hit, until, web_source

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from collector.settings import Settings
    from tests.conftest import Running

DAY = 86_400
STAMPS: dict[str, Any] = {"created": "", "updated": "", "version": 1}
MIDNIGHT = 40_000 * DAY  # far ahead: the server forgets what expires before its own now
MINUTE = 60
ALICE: dict[str, Any] = {"address": "203.0.113.9", "headers": {"User-Agent": "A"}}
VIEW = {"type": "page", "context": {"page": {"url": "https://shop.example/"}}}


def _event(url: str = "https://shop.example/", **message: Any) -> Event:
    body = {"type": "page", "context": {"page": {"url": url}}, **message}
    return Event(0, "m1", body["type"], "", body)


def _visitor(
    visitors: Visitors, seconds: float = MIDNIGHT + 3600, url: str = "https://shop.example/", **who: Any
) -> str:
    event = _event(url)
    visitors.judge(event, hit(received_at=int(seconds * 1000), **{**ALICE, **who}))
    return str(event.message["anonymousId"])


@pytest.fixture
async def salts(limited_redis: Redis, settings: Settings) -> Salts:
    return Salts(limited_redis, Names(settings.namespace))


@pytest.fixture
def visitors(salts: Salts) -> Visitors:
    return Visitors(salts)


def test_one_browser_on_one_site_is_one_visitor(visitors: Visitors) -> None:
    assert _visitor(visitors) == _visitor(visitors)


@pytest.mark.parametrize(
    "other",
    [
        {"address": "203.0.114.9"},
        {"headers": {"User-Agent": "B"}},
        {"url": "https://other.example/"},
        {"source": web_source(id="web2")},
    ],
)
def test_another_network_browser_site_or_source_is_another_visitor(visitors: Visitors, other: Any) -> None:
    assert _visitor(visitors) != _visitor(visitors, **other)


def test_only_the_network_of_an_address_counts(visitors: Visitors) -> None:
    assert _visitor(visitors) == _visitor(visitors, address="203.0.113.200")


async def test_every_collector_uses_the_same_salt(redis: Redis, settings: Settings, salts: Salts) -> None:
    other = Salts(redis, Names(settings.namespace))

    await salts.refresh(MIDNIGHT + 1)
    await other.refresh(MIDNIGHT + 2)

    assert salts.current == other.current


async def test_the_next_day_has_another_salt_and_the_day_after_forgets_it(salts: Salts) -> None:
    await salts.refresh(MIDNIGHT)
    first = salts.current
    await salts.refresh(MIDNIGHT + DAY)
    assert first == salts.previous
    assert first != salts.current
    await salts.refresh(MIDNIGHT + 2 * DAY)

    assert first not in {salts.current, salts.previous}


async def test_a_salts_key_expires_two_days_after_its_day_began(redis: Redis, settings: Settings) -> None:
    """The server's clock decides, so this is the salt of today."""
    seconds, _ = await redis.time()
    salts, today = Salts(redis, Names(settings.namespace)), seconds // DAY

    await salts.refresh(seconds)

    assert await redis.expiretime(Names(settings.namespace).salt(today)) == (today + 2) * DAY


async def test_the_append_only_file_is_rewritten_once_a_day(redis: Redis, salts: Salts) -> None:
    """It still holds the salt of the day before yesterday, whose key has expired."""
    before = (await redis.info("persistence"))["aof_rewrites"]
    await salts.refresh(MIDNIGHT + 1)
    await salts.refresh(MIDNIGHT + 62)
    await salts.refresh(MIDNIGHT + 90)

    async def rewritten() -> bool:
        told = await redis.info("persistence")
        return told["aof_rewrites"] > before and not told["aof_rewrite_in_progress"]

    await until(rewritten)
    assert (await redis.info("persistence"))["aof_rewrites"] == before + 1


async def test_a_session_survives_midnight(salts: Salts, visitors: Visitors) -> None:
    await salts.refresh(MIDNIGHT - 10 * MINUTE)
    before = _visitor(visitors, MIDNIGHT - 5 * MINUTE)
    await salts.refresh(MIDNIGHT + 1)

    assert _visitor(visitors, MIDNIGHT + 10 * MINUTE) == before
    assert _visitor(visitors, MIDNIGHT + 35 * MINUTE) == before
    assert _visitor(visitors, MIDNIGHT + 70 * MINUTE) != before


async def test_a_session_goes_on_at_another_collector(redis: Redis, settings: Settings) -> None:
    names = Names(settings.namespace)
    first, second = Salts(redis, names), Salts(redis, names)
    for each in (first, second):
        await each.refresh(MIDNIGHT - 10 * MINUTE)
    before = _visitor(Visitors(first), MIDNIGHT - 5 * MINUTE)
    _visitor(Visitors(second), MIDNIGHT - 5 * MINUTE, address="198.51.100.1")
    for each in (first, second):
        await each.refresh(MIDNIGHT + 1)

    assert _visitor(Visitors(second), MIDNIGHT + 10 * MINUTE) == before


async def test_who_was_not_here_late_is_new_after_midnight(salts: Salts, visitors: Visitors) -> None:
    await salts.refresh(MIDNIGHT - 3600)
    before = _visitor(visitors, MIDNIGHT - 3600)
    await salts.refresh(MIDNIGHT + 1)

    assert _visitor(visitors, MIDNIGHT + MINUTE) != before


async def _stored(
    running: Running, event: Any, privacy: dict[str, Any], **headers: str
) -> list[dict[str, Any]]:
    source = await running.add(privacy=privacy)
    await running.post(source.id, {"batch": [event]}, User_Agent="A", **headers)
    return await running.events()


NAMED = {**VIEW, "anonymousId": "a1", "userId": "u1", "sessionId": "s1", "traits": {"name": "Jane"}}


async def test_cookieless_replaces_the_id_that_a_script_sent(running: Running) -> None:
    [event] = await _stored(running, NAMED, {})

    assert len(event["anonymousId"]) == 32
    assert "ip" not in event["context"]


async def test_a_cookies_id_is_kept(running: Running) -> None:
    [event] = await _stored(running, NAMED, {"visitors": "cookie"})

    assert event["anonymousId"] == "a1"


@pytest.mark.parametrize(
    ("privacy", "headers"),
    [
        ({"visitors": "anonymous"}, {}),
        ({"visitors": "cookie", "address": "network"}, {"Sec-GPC": "1"}),
        ({"dnt": "anonymous"}, {"DNT": "1"}),
        ({"consent": "required", "before_consent": "views"}, {}),
    ],
)
async def test_an_anonymous_event_names_nobody(running: Running, privacy: Any, headers: Any) -> None:
    own = {"segment": {"email": "jane@x.example"}, "tracardi": {"profile": {"id": "p1"}}}
    [event] = await _stored(
        running, {**NAMED, "context": {**VIEW.get("context", {}), **own}}, privacy, **headers
    )

    assert {"anonymousId", "userId", "sessionId", "traits"} & set(event) == set()
    assert {"ip", "segment", "tracardi"} & set(event["context"]) == set()


@pytest.mark.parametrize(
    ("privacy", "headers"),
    [
        ({"gpc": "drop"}, {"Sec-GPC": "1"}),
        ({"dnt": "drop"}, {"DNT": "1"}),
        ({"consent": "required"}, {}),
    ],
)
async def test_nothing_is_kept_of_who_said_no(running: Running, privacy: Any, headers: Any) -> None:
    assert await _stored(running, VIEW, privacy, **headers) == []


async def test_who_is_identified_in_an_anonymous_source_is_not_kept(running: Running) -> None:
    assert await _stored(running, {**NAMED, "type": "identify"}, {"visitors": "anonymous"}) == []


async def test_the_signals_are_noted_on_the_event(running: Running) -> None:
    [event] = await _stored(running, VIEW, {"gpc": "record"}, **{"Sec-GPC": "1", "DNT": "1"})

    assert event["collector"]["gpc"] is event["collector"]["dnt"] is True
    assert event["anonymousId"]


@pytest.mark.parametrize("value", ["0", "", "true", "1, 1", " 1"])
def test_only_1_is_a_signal(value: str) -> None:
    assert objection(hit(headers={"Sec-GPC": value, "DNT": value}), Privacy(dnt="drop")) == ""


async def test_consent_may_be_given_by_category(running: Running) -> None:
    event = {**VIEW, "context": {"consent": {"analytics": True, "ads": False}}}

    [stored] = await _stored(running, event, {"consent": "required"})

    assert stored["context"]["consent"] == {"analytics": True, "ads": False}


async def test_global_privacy_control_is_announced(running: Running) -> None:
    answer = await running.public.get("/.well-known/gpc.json")

    assert (await answer.json())["gpc"] is True


@pytest.mark.parametrize(
    ("privacy", "fields", "named"),
    [
        ({"gpc": "record"}, {}, "privacy.gpc"),
        ({"parameters": ["*"]}, {}, "privacy.parameters"),
        ({}, {"retention_hours": 26 * 31 * 24}, "retention_hours"),
        ({}, {"settings": {"preset": "typical", "options": {"domains": ["b.example"]}}}, "domains"),
        ({}, {"settings": {"preset": "lite"}}, "settings.preset"),
    ],
)
def test_the_cnil_preset_refuses_what_stands_against_it(privacy: Any, fields: Any, named: str) -> None:
    with pytest.raises(SourceError, match=named):
        check_form({"name": "Shop", "privacy": {"preset": "cnil", **privacy}, **fields})


def test_a_stored_source_is_read_whatever_the_preset_asks_today() -> None:
    stored = dump(to_source(check_form({"name": "Shop", "privacy": {"gpc": "record"}}), **STAMPS))

    assert load(stored.replace(b'"preset":""', b'"preset":"cnil"')).privacy.gpc == "record"


def test_a_server_keeps_its_own_ids(visitors: Visitors) -> None:
    event = _event(anonymousId="a1")
    source: Source = web_source(bridge="rest")

    visitors.judge(event, hit(source=source))

    assert event.message["anonymousId"] == "a1"
